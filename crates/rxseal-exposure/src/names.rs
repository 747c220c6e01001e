//! Names of columns and tables that a report may have.

/// The name, or these words. In a file without a first line of names, a name is a value, and an object may have patients as members.
pub(crate) fn shown<'n>(name: &'n str, otherwise: &'n str) -> &'n str {
    let is_letter = |char: char| char.is_ascii_alphanumeric() || "_-".contains(char);
    let is_name = name.len() <= 64 && name.starts_with(|char: char| char.is_ascii_alphabetic() || char == '_');
    if is_name && name.chars().all(is_letter) { name } else { otherwise }
}
