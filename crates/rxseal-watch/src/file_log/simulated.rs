//! A disk that fails where a test says so, and forgets at a power cut what was not synced.

use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Condvar, Mutex};

use super::disk::{Disk, LINES, NOTES, Which};

/// What happens at an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// The power fails: this and everything later.
    PowerCut,
    /// This operation fails, and this many after it.
    Error(io::ErrorKind, usize),
}

#[derive(Default)]
pub(crate) struct State {
    pub(crate) files: BTreeMap<String, File>,
    current: Option<String>,
    operations: usize,
    fault: Option<(usize, Fault)>,
    is_off: bool,
    failing: Option<(io::ErrorKind, usize)>,
    /// How many bytes there are left, if the disk is full at some time.
    room: Option<usize>,
    reserve: usize,
    is_hung: bool,
}

#[derive(Clone, Default)]
pub(crate) struct File {
    pub(crate) bytes: Vec<u8>,
    synced: usize,
    is_locked: bool,
}

#[derive(Clone, Default)]
pub(crate) struct Simulated(Arc<(Mutex<State>, Condvar)>);

impl Simulated {
    pub(crate) fn failing_at(operation: usize, fault: Fault) -> Self {
        let disk = Self::default();
        disk.state(|state| state.fault = Some((operation, fault)));
        disk
    }

    pub(crate) fn state<T>(&self, work: impl FnOnce(&mut State) -> T) -> T {
        work(&mut self.0.0.lock().unwrap())
    }

    pub(crate) fn operations(&self) -> usize {
        self.state(|state| state.operations)
    }

    /// The disk after a restart of the machine: of what was not synced, `kept` of 256 parts of each file are there.
    pub(crate) fn restarted(&self, kept: usize) -> Self {
        let files = self.state(|state| {
            let survivor = |(name, file): (&String, &File)| {
                let unsynced = file.bytes.len() - file.synced;
                let len = if state.is_off { file.synced + unsynced * kept / 256 } else { file.bytes.len() };
                (name.clone(), File { bytes: file.bytes[..len].to_vec(), synced: len, is_locked: false })
            };
            state.files.iter().map(survivor).collect()
        });
        let disk = Self::default();
        disk.state(|state| state.files = files);
        disk
    }

    /// Lets calls of the disk hang, or go on.
    pub(crate) fn hang(&self, is_hung: bool) {
        self.state(|state| state.is_hung = is_hung);
        self.0.1.notify_all();
    }

    /// Leaves room for so many bytes, the reserve not counted.
    pub(crate) fn set_room(&self, room: Option<usize>) {
        self.state(|state| state.room = room);
    }

    /// One operation.
    fn operate<T>(&mut self, work: impl FnOnce(&mut State) -> io::Result<T>) -> io::Result<T> {
        let state = self.0.0.lock().unwrap();
        let mut state = self.0.1.wait_while(state, |state| state.is_hung).unwrap();
        let operation = state.operations;
        state.operations += 1;
        if let Some((at, fault)) = state.fault
            && at == operation
        {
            match fault {
                Fault::PowerCut => state.is_off = true,
                Fault::Error(kind, after) => state.failing = Some((kind, after)),
            }
        }
        if state.is_off {
            return Err(io::Error::other("the power is off"));
        }
        if let Some((kind, left)) = state.failing {
            state.failing = left.checked_sub(1).map(|left| (kind, left));
            return Err(kind.into());
        }
        work(&mut state)
    }
}

impl State {
    fn file(&mut self, which: Which) -> io::Result<&mut File> {
        let end = if which == Which::Lines { LINES } else { NOTES };
        let name = self.current.as_ref().map(|name| format!("{name}{end}"));
        name.and_then(|name| self.files.get_mut(&name)).ok_or_else(|| io::ErrorKind::NotConnected.into())
    }
}

impl Disk for Simulated {
    fn list(&mut self) -> io::Result<Vec<String>> {
        self.operate(|state| Ok(state.files.keys().cloned().collect()))
    }

    fn read_end(&mut self, name: &str, most: u64) -> io::Result<(Vec<u8>, bool)> {
        self.operate(|state| {
            let bytes = &state.files[name].bytes;
            let start = bytes.len().saturating_sub(most as usize);
            Ok((bytes[start..].to_vec(), start > 0))
        })
    }

    fn is_locked(&mut self, name: &str) -> io::Result<bool> {
        self.operate(|state| Ok(state.files[name].is_locked))
    }

    fn create(&mut self, name: &str) -> io::Result<()> {
        // Two files and a folder: the power may fail between them.
        for end in [LINES, NOTES] {
            self.operate(|state| {
                state.files.insert(format!("{name}{end}"), File { is_locked: end == LINES, ..File::default() });
                Ok(())
            })?;
        }
        self.operate(|state| {
            state.current = Some(name.to_owned());
            Ok(())
        })
    }

    fn remove(&mut self, name: &str) -> io::Result<()> {
        self.operate(|state| {
            state.current = None;
            state.files.remove(&format!("{name}{LINES}"));
            state.files.remove(&format!("{name}{NOTES}"));
            Ok(())
        })
    }

    fn write(&mut self, which: Which, bytes: &[u8]) -> io::Result<usize> {
        self.operate(|state| {
            let len = state.room.map_or(bytes.len(), |room| room.min(bytes.len()));
            if len == 0 && !bytes.is_empty() {
                return Err(io::ErrorKind::StorageFull.into());
            }
            state.file(which)?.bytes.extend_from_slice(&bytes[..len]);
            if let Some(room) = &mut state.room {
                *room -= len;
            }
            Ok(len)
        })
    }

    fn sync(&mut self, which: Which) -> io::Result<()> {
        self.operate(|state| {
            let file = state.file(which)?;
            file.synced = file.bytes.len();
            Ok(())
        })
    }

    fn truncate(&mut self, which: Which, len: u64) -> io::Result<()> {
        self.operate(|state| {
            let file = state.file(which)?;
            let given_back = file.bytes.len() - len as usize;
            file.bytes.truncate(len as usize);
            file.synced = file.synced.min(file.bytes.len());
            if let Some(room) = &mut state.room {
                *room += given_back;
            }
            Ok(())
        })
    }

    fn is_in_place(&mut self) -> io::Result<bool> {
        Ok(true)
    }

    fn close(&mut self) {
        self.state(|state| {
            if let Ok(file) = state.file(Which::Lines) {
                file.is_locked = false;
            }
            state.current = None;
        });
    }

    fn make_reserve(&mut self) -> io::Result<()> {
        self.operate(|state| {
            state.reserve = 8 * 1024 * 1024;
            Ok(())
        })
    }

    fn drop_reserve(&mut self) -> io::Result<bool> {
        self.operate(|state| {
            let reserve = std::mem::take(&mut state.reserve);
            state.room = state.room.map(|room| room + reserve);
            Ok(reserve > 0)
        })
    }
}
