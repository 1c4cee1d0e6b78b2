//! A hub's JetStream for clients of the leaf node, by its plain subjects.

use serde_json::{Value, json};

use crate::client::{Client, Frame};
use crate::hub::Hub;

/// Sends a request to the JetStream API.
fn ask(client: &mut Client, subject: &str, request: &Value) -> Value {
    let text = if request.is_null() {
        String::new()
    } else {
        request.to_string()
    };
    let inbox = format!("_INBOX.{}", fastrand::u64(..));
    client.send(format!(
        "SUB {inbox} ask\r\nUNSUB ask 1\r\nPUB $JS.hub.API.{subject} {inbox} {}\r\n{text}\r\n",
        text.len()
    ));
    let Some(Frame::Message { payload, .. }) = client.frame() else {
        panic!("no answer");
    };
    let answer: Value = serde_json::from_slice(&payload)
        .unwrap_or_else(|_| panic!("{subject}: {}", payload.escape_ascii()));
    assert!(answer.get("error").is_none(), "{subject}: {answer}");
    answer
}

#[test]
#[ignore = "needs nats-server: HUB"]
fn streams_are_written_and_read_through_the_link() {
    let hub = Hub::start("");
    let edge = hub.leaf(&["--workers", "2"]);
    let mut client = edge.connect();
    let subjects = json!({"name": "orders", "subjects": ["orders.>"], "storage": "memory"});
    ask(&mut client, "STREAM.CREATE.orders", &subjects);
    // A publish is a request to the subject itself, which the stream acknowledges.
    for number in 1..=20 {
        client.send(format!(
            "SUB ack.{number} a\r\nUNSUB a 1\r\nPUB orders.new ack.{number} 2\r\nhi\r\n"
        ));
        let Some(Frame::Message { payload, .. }) = client.frame() else {
            panic!("no acknowledgement");
        };
        let ack: Value = serde_json::from_slice(&payload).expect("JSON");
        assert_eq!(
            (&ack["seq"], &ack["domain"]),
            (&json!(number), &json!("hub")),
            "{ack}"
        );
    }
    // A pull consumer: the client sees the stream's subject, and its acknowledgement is effective.
    let config =
        json!({"stream_name": "orders", "config": {"durable_name": "c", "ack_policy": "explicit"}});
    ask(&mut client, "CONSUMER.DURABLE.CREATE.orders.c", &config);
    client.send("SUB pulled 2\r\nPUB $JS.hub.API.CONSUMER.MSG.NEXT.orders.c pulled 2\r\n10\r\n");
    let mut replies = Vec::new();
    for _ in 0..10 {
        let Some(Frame::Message {
            subject,
            reply,
            payload,
            ..
        }) = client.frame()
        else {
            panic!("no message");
        };
        assert_eq!((&*subject, &payload[..]), ("orders.new", &b"hi"[..]));
        let reply = reply.expect("it wants to be acknowledged");
        assert!(
            reply.starts_with("$JS.ACK.") && !reply.contains('@'),
            "{reply}"
        );
        replies.push(reply);
    }
    client.send("SUB acked 3\r\n");
    for reply in replies {
        client.send(format!("PUB {reply} acked 4\r\n+ACK\r\n"));
        let Some(Frame::Message { sid, .. }) = client.frame() else {
            panic!("no confirmation");
        };
        assert_eq!(sid, "3");
    }
    let info = ask(&mut client, "CONSUMER.INFO.orders.c", &Value::Null);
    assert_eq!(
        (&info["ack_floor"]["stream_seq"], &info["num_pending"]),
        (&json!(10), &json!(10))
    );
    // A push consumer.
    client.send("SUB pushed 4\r\n");
    let config = json!({"stream_name": "orders", "config": {"deliver_subject": "pushed", "ack_policy": "none", "deliver_policy": "all"}});
    ask_with_messages(&mut client, "CONSUMER.CREATE.orders", &config, 20);
}

/// Same as `ask`, where messages may precede the answer.
fn ask_with_messages(client: &mut Client, subject: &str, request: &Value, most: usize) {
    let text = request.to_string();
    client.send(format!(
        "SUB answer ask\r\nPUB $JS.hub.API.{subject} answer {}\r\n{text}\r\n",
        text.len()
    ));
    let (mut answers, mut messages) = (0, 0);
    while answers == 0 || messages < most {
        let Some(Frame::Message { sid, subject, .. }) = client.frame() else {
            panic!("{messages} messages");
        };
        if sid == "ask" {
            answers += 1;
        } else {
            assert_eq!(subject, "orders.new");
            messages += 1;
        }
    }
}

/// nats-server disconnects a leaf node that subscribes to a literal JetStream subject which it
/// denies.
#[test]
#[ignore = "needs nats-server: HUB"]
fn a_jetstream_subscription_does_not_end_the_link() {
    let hub = Hub::start("");
    let edge = hub.leaf(&[]);
    let mut client = edge.connect();
    for (subject, sid) in [
        "$KV.b.k",
        "$OBJ.b.C.x",
        "$JS.API.INFO",
        "$JS.hub.API.INFO",
        "$KV.>",
    ]
    .iter()
    .zip(0..)
    {
        client.send(format!("SUB {subject} {sid}\r\n"));
    }
    client.sync();
    let mut there = hub.connect();
    client.send("SUB through 9\r\n");
    client.sync();
    // Time for the hub to disconnect.
    std::thread::sleep(std::time::Duration::from_millis(200));
    there.send("PUB through 1\r\nx\r\n");
    client.expect("MSG through 9 1\r\nx\r\n");
    let lost = edge
        .log()
        .into_iter()
        .find(|line| line.contains("lost the connection to hub"));
    assert_eq!(lost, None);
}
