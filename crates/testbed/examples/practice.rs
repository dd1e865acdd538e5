//! Makes the sample practice on a private MariaDB, works a day on it, and waits for Enter, so that
//! one can look around: `cargo run -p handoff-testbed --example practice -- 0.05 [mysql9]`.
#![expect(clippy::print_stdout, reason = "an example for people")]

use handoff_testbed::{
    MariaDb, MySql9, MySqlEndpoint, ServerOptions,
    practice::{self, Day, Practice},
    stop_on_signals,
};
use std::{env, io, time::Instant};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    stop_on_signals();
    let arguments: Vec<String> = env::args().skip(1).collect();
    let scale = arguments.first().map_or(Ok(0.05), |scale| scale.parse())?;
    let options = ServerOptions::default();
    if arguments.iter().any(|argument| argument == "mysql9") {
        let server = MySql9::start(&options)?;
        return fill(server.endpoint(), scale);
    }
    let server = MariaDb::start(&options)?;
    fill(server.endpoint(), scale)
}

fn fill(server: &MySqlEndpoint, scale: f64) -> Result<(), Box<dyn std::error::Error>> {
    server.create_database("opendental")?;
    server.allow("opendental")?;
    let mut conn = server.admin_in("opendental")?;
    let practice = Practice::at_scale(scale);

    let begin = Instant::now();
    let created = practice::create(&mut conn, &practice)?;
    println!("{} tables, {} rows in {:.1?}", created.tables, created.rows, begin.elapsed());

    let begin = Instant::now();
    let day = practice::a_day_of_work(&mut conn, &practice, &Day::number(1))?;
    println!("{:?} in {} tables in {:.1?}", day.total(), day.tables.len(), begin.elapsed());

    println!("{}\nEnter ends it.", server.url("opendental"));
    io::stdin().read_line(&mut String::new())?;
    Ok(())
}
