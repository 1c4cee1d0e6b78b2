//! Derives and attributes on everything, and a table made by a helper of the build script.

use std::time::Duration;

use clap::Parser;
use serde::{Deserialize, Serialize};

include!(concat!(env!("OUT_DIR"), "/table.rs"));

#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
enum Shape {
    Square { side: u64 },
    Circle { radius: u64 },
}

#[derive(Debug, thiserror::Error)]
#[error("no square of {0}")]
struct Unknown(u64);

#[derive(Parser)]
#[command(version)]
struct Arguments {
    #[arg(long, default_value_t = 3)]
    side: u64,
}

#[async_trait::async_trait]
trait Area {
    async fn area(&self) -> Result<u64, Unknown>;
}

#[async_trait::async_trait]
impl Area for Shape {
    async fn area(&self) -> Result<u64, Unknown> {
        tokio::time::sleep(Duration::from_millis(1)).await;
        let (Self::Square { side } | Self::Circle { radius: side }) = self;
        SQUARES
            .get(usize::try_from(*side).unwrap_or(usize::MAX))
            .copied()
            .ok_or(Unknown(*side))
    }
}

#[tokio::main]
async fn main() {
    let square = Shape::Square {
        side: Arguments::parse().side,
    };
    let text = serde_json::to_string(&square).expect("write JSON");
    let read: Shape = serde_json::from_str(&text).expect("read JSON");
    assert_eq!(read, square);
    let area = tokio::spawn(async move { read.area().await })
        .await
        .expect("the task ends");
    assert_eq!(area.expect("a square"), 9);
    let error = Shape::Circle { radius: 9 }
        .area()
        .await
        .expect_err("there is none");
    println!("macros: {text}, {error}");
}
