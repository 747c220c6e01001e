//! Values in which a token is only a part.

use rxseal::count::KeyCounts;

/// What the answers call them.
pub const NOT_ALONE: &str = "not one token alone";

/// How many values are not one token and nothing else, if it is more than those without a token.
pub fn not_alone(counts: &KeyCounts) -> u64 {
    if counts.not_sealed() > counts.not_tokens() { counts.not_sealed() } else { 0 }
}
