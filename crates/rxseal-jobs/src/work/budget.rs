//! How much a job may open.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};

use rxseal::Error;

use crate::trouble::refused;

/// How many values a worker may unseal, under a name that says who approved it.
///
/// ```
/// let budget = rxseal_jobs::Budget::new("CHG-1234", 10_000);
/// assert_eq!(budget.left(), 10_000);
/// ```
pub struct Budget {
    name: String,
    left: AtomicU64,
}

impl Budget {
    /// A budget of so many values.
    #[must_use]
    pub fn new(name: impl Into<String>, values: u64) -> Self {
        Self { name: name.into(), left: AtomicU64::new(values) }
    }

    /// How many values may still be opened.
    #[must_use]
    pub fn left(&self) -> u64 {
        self.left.load(Ordering::Relaxed)
    }

    /// Takes so many values, or none of them.
    pub(crate) fn take(&self, values: u64) -> Result<(), Error> {
        let taken = self.left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(values));
        let spent = |left| {
            refused(format!(
                "the budget {} is spent: {left} values are left, and the next rows have {values}",
                self.name
            ))
        };
        taken.map(drop).map_err(spent)
    }
}

impl fmt::Debug for Budget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Budget").field("name", &self.name).field("left", &self.left()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_budget_is_never_overdrawn() {
        let budget = Budget::new("CHG-1234", 10);
        budget.take(7).unwrap();
        let error = budget.take(4).unwrap_err();
        assert_eq!(error.code().as_str(), "job-refused");
        assert_eq!(budget.left(), 3);
        budget.take(3).unwrap();
        budget.take(0).unwrap();
        assert!(budget.take(1).is_err());
    }
}
