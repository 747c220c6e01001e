//! The tokio task that is running, in builds that have tokio.

#[cfg(feature = "tokio_1")]
mod running {
    /// The running task, or `None` outside of tasks.
    #[derive(PartialEq)]
    pub(crate) struct Task(Option<tokio::task::Id>);

    impl Task {
        pub(crate) fn current() -> Self {
            Self(tokio::task::try_id())
        }
    }
}

#[cfg(not(feature = "tokio_1"))]
mod running {
    /// This build cannot tell tasks apart.
    #[derive(PartialEq)]
    pub(crate) struct Task;

    impl Task {
        pub(crate) fn current() -> Self {
            Self
        }
    }
}

pub(crate) use running::Task;
