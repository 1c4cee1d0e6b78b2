//! SQLite, in C, with its own threads' locks and malloc.

use rusqlite::Connection;

fn main() -> rusqlite::Result<()> {
    let mut connection = Connection::open_in_memory()?;
    connection.execute(
        "CREATE TABLE numbers (n INTEGER PRIMARY KEY, square INTEGER)",
        [],
    )?;
    let transaction = connection.transaction()?;
    for n in 0..1000 {
        transaction.execute("INSERT INTO numbers VALUES (?1, ?2)", [n, n * n])?;
    }
    transaction.commit()?;
    let sum: i64 = connection.query_row("SELECT sum(square) FROM numbers", [], |row| row.get(0))?;
    assert_eq!(sum, (0..1000).map(|n| n * n).sum());
    println!("SQLite {}: the squares come to {sum}", rusqlite::version());
    Ok(())
}
