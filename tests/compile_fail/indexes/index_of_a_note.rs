//! No index is made of free text.

pub struct Visit {
    note: String,
    day: String,
}

rxseal_search::indexes! {
    for Visit as "visit" {
        pub NoteAndDay = "visit.note-day": (exact(note: rxseal::phi::Note), date(day: rxseal::phi::BirthDate)), bits 17;
    }
}

fn main() {}
