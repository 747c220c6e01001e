//! Encodings: frames (FORMAT 2) and canonical base64url (FORMAT 1.2).

pub(crate) mod frame;
pub(crate) mod secret_text;
pub(crate) mod text;
