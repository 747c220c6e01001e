//! How much an unseal may open.

use std::fmt;

use rxseal::Error;

use crate::trouble::refused;

/// How many values an unseal may open, under the name by which that was approved, such as the number of a change.
///
/// The job keeps it, and counts what is opened under it: [`Job::approve`](crate::postgres::Job::approve) adds it. So a run that goes on, and workers
/// on other machines, share it.
///
/// ```
/// let approval = rxseal_jobs::Approval::new("CHG-1234", 10_000)?;
/// assert_eq!((approval.name(), approval.values()), ("CHG-1234", 10_000));
/// # Ok::<(), rxseal::Error>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Approval {
    name: String,
    values: u64,
}

impl Approval {
    /// An approval of so many values. The name is 1 to 255 characters of printable ASCII without space, as the request id of an
    /// [`Access`](rxseal::Access) is: give the access the same name, and each event of the job says by which approval.
    ///
    /// # Errors
    ///
    /// `job-refused` if the name is anything else, or there are no values.
    pub fn new(name: impl Into<String>, values: u64) -> Result<Self, Error> {
        let name = name.into();
        if !(1..=255).contains(&name.len()) || !name.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(refused("the name of an approval is 1 to 255 characters of printable ASCII without space"));
        }
        if values == 0 {
            return Err(refused(format!("the approval {name} is of no values")));
        }
        Ok(Self { name, values })
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// How many values may be opened, by all workers together.
    #[must_use]
    pub fn values(&self) -> u64 {
        self.values
    }
}

impl fmt::Debug for Approval {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Approval").field("name", &self.name).field("values", &self.values).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_budget_has_a_name_and_values() {
        for (name, values) in [("", 1), ("CHG 1", 1), ("CHG-\u{e4}", 1), (&*"x".repeat(256), 1), ("CHG-1", 0)] {
            assert_eq!(Approval::new(name, values).unwrap_err().code().as_str(), "job-refused", "{name}");
        }
        assert!(Approval::new("x".repeat(255), u64::MAX).is_ok());
    }
}
