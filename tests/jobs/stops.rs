//! What ends a chunk after its rows were opened.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use rxseal::Error;
use rxseal_jobs::{ChunkWork, Column, Row, WorkFuture};

/// Work that is done and then lost once, as if the worker was killed before it could write.
pub struct LostOnce {
    work: Arc<dyn ChunkWork>,
    is_lost: AtomicBool,
}

impl LostOnce {
    pub fn new(work: Arc<dyn ChunkWork>) -> Arc<Self> {
        Arc::new(Self { work, is_lost: AtomicBool::new(false) })
    }
}

impl ChunkWork for LostOnce {
    fn columns(&self) -> &[Column] {
        self.work.columns()
    }

    fn opens(&self, rows: &[Row<'_>]) -> u64 {
        self.work.opens(rows)
    }

    fn run<'a>(&'a self, rows: &'a [Row<'a>]) -> WorkFuture<'a> {
        Box::pin(async move {
            let outcomes = self.work.run(rows).await?;
            let was_lost = self.is_lost.swap(true, Ordering::Relaxed);
            if was_lost { Ok(outcomes) } else { Err(Error::refused("the worker is lost")) }
        })
    }
}
