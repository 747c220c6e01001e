//! A web service whose database holds sealed fields and whose authorised clients see plaintext.
//!
//!     cargo run -p rxseal-example-web -- --port 8080
//!     curl -H 'x-demo-user: lee.intake' http://127.0.0.1:8080/prescriptions \
//!          -d refills=2 -d 'patient_name=Jane Doe' -d 'drug=warfarin 5 MG Oral Tablet' -d directions=daily
//!     curl -H 'x-demo-user: kim.rph' http://127.0.0.1:8080/prescriptions/ID     # the id that the first call gave
//!
//! The code to copy is in app.rs.

mod app;

use std::error::Error;
use std::net::Ipv4Addr;
use std::sync::{Arc, mpsc};

use clap::Parser;
use tokio::net::TcpListener;

#[derive(Parser)]
#[command(about = "A web service over sealed prescriptions, on loopback")]
struct Options {
    /// The port to listen on; 0 is any free one.
    #[arg(long, default_value_t = 0)]
    port: u16,
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let options = Options::parse();
    let (audit, events) = mpsc::channel();
    std::thread::spawn(move || events.iter().for_each(|event: String| println!("audit: {event}")));

    // This keyring and this database are gone when the process ends. A real service unlocks a stored keyring with a
    // root key that is kept apart from the data: see examples/pharmacy, and `Keyring::unlock`.
    let keys = rxseal::testing::insecure_keyring("pharmacy-17")?.observed_by(app::Audit(audit));
    let service = app::Service::new(&keys, rusqlite::Connection::open_in_memory()?)?;

    // This socket carries plaintext: use loopback here, and TLS anywhere else.
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, options.port)).await?;
    println!("listening on http://{}", listener.local_addr()?);
    axum::serve(listener, app::router(Arc::new(service))).await?;
    Ok(())
}
