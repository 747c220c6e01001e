//! Encodings: frames (FORMAT 2), canonical base64url (FORMAT 1.2), and JSON objects of our own files.

pub(crate) mod frame;
pub(crate) mod json_object;
pub(crate) mod secret_text;
pub(crate) mod text;
