//! Search over databases.

mod normal_forms;
