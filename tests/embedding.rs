//! A server within a test that uses a client library, as another program's test would do.

use std::error::Error;
use std::time::Duration;

use broker_server::{Config, Server};
use futures_util::StreamExt;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_library_talks_to_a_server_of_its_process() -> Result<(), Box<dyn Error>> {
    let server = broker_server::Server::start()?;
    let client = async_nats::connect(server.url()).await?;
    let mut greetings = client.subscribe("greetings.*").await?;
    client.publish("greetings.world", "hello".into()).await?;
    let greeting = greetings.next().await.ok_or("the connection is closed")?;
    assert_eq!(greeting.subject.as_str(), "greetings.world");
    assert_eq!(greeting.payload, "hello");

    let mut questions = client.subscribe("questions").await?;
    let answering = client.clone();
    let answer = tokio::spawn(async move {
        let question = questions.next().await?;
        let reply = question.reply?;
        answering.publish(reply, "42".into()).await.ok()
    });
    let request = client.request("questions", "?".into());
    let answered = tokio::time::timeout(Duration::from_secs(20), request).await??;
    assert_eq!(answered.payload, "42");
    answer.await?.ok_or("the question had no reply subject")?;

    // The server ends here, while the client is connected.
    drop(server);
    Ok(())
}

/// The program of docs/embedding.md.
#[expect(
    dead_code,
    unused_variables,
    reason = "it is only compiled, because its port is fixed"
)]
fn serve() -> Result<(), Box<dyn Error>> {
    let server = Server::bind(Config {
        listen: ([127, 0, 0, 1], 4222).into(),
        ..Config::default()
    })?;
    let handle = server.handle(); // can be cloned, and used by any thread
    server.run()?; // serves until handle.drain() or handle.stop()
    Ok(())
}
