//! Drives clients and workers as the input says, and records what they did.

use std::collections::{BTreeMap, VecDeque};

use super::super::key::ConnectionKey;
use super::super::rig::{Rig, Then, WORKERS};
use super::history::{Command, History, Message, Options, is_valid};
use super::stream::DIGITS;

/// Most clients at a time.
const CLIENTS: usize = 5;

/// Most operations: longer inputs find nothing that shorter ones do not.
const MOST_OPERATIONS: usize = 250;

/// Most bytes of frames that a client holds back, so the socket has room for them.
const MOST_HELD: usize = 32 * 1024;

/// Operations between two reads of the clients, so the sockets have room.
const OPERATIONS_PER_READ: usize = 16;

/// Most turns for executing all that a client has sent.
const MOST_TURNS: usize = 8;

/// Tokens of patterns, and of subjects of each kind.
const PATTERN: [&str; 4] = ["a", "b", "*", ">"];
const LITERAL: [&str; 4] = ["a", "b", "a", "c"];
const UNUSUAL: [&str; 4] = ["a", "*", ">", ""];

const GROUPS: [Option<&str>; 4] = [None, None, Some("g"), Some("h")];

/// Payload sizes: copied, shared, and too large for a batch that another worker delivers.
const SIZES: [usize; 4] = [DIGITS, DIGITS, 700, 5000];

/// A payload larger than a chunk, see [`super::super::chunks`].
const LARGE: usize = 70_000;

/// The work limit of a turn: none, or little.
const MOST_WORK: [u64; 4] = [u64::MAX, u64::MAX, 100, 1];

/// The rest of the input, followed by zeros.
struct Bytes<'i>(&'i [u8]);

impl Bytes<'_> {
    fn next(&mut self) -> usize {
        match self.0.split_first() {
            None => 0,
            Some((&first, rest)) => {
                self.0 = rest;
                first.into()
            }
        }
    }

    /// Returns a subject of one to four tokens.
    fn subject(&mut self, count: usize, tokens: [&str; 4]) -> String {
        let choices = self.next();
        let count = count % 4 + 1;
        let tokens: Vec<_> = (0..count)
            .map(|place| tokens[choices >> (2 * place) & 3])
            .collect();
        tokens.join(".")
    }
}

/// How a client's frames are executed.
#[derive(Clone, Copy)]
struct How {
    /// The client holds them back.
    hold: bool,
    busy: usize,
    /// The worker reads its mail first, as usual unless mail arrives just then.
    mail_first: bool,
    most: u64,
}

impl How {
    const AT_ONCE: Self = Self {
        hold: false,
        busy: 0,
        mail_first: true,
        most: u64::MAX,
    };

    fn of(byte: usize) -> Self {
        Self {
            hold: byte.is_multiple_of(4),
            busy: byte >> 2,
            mail_first: byte & 0x20 != 0,
            most: MOST_WORK[byte >> 6],
        }
    }
}

struct Client {
    key: ConnectionKey,
    options: Options,
    /// Commands that were not executed yet, with the lengths of their frames.
    queue: VecDeque<(Command, usize)>,
    /// Bytes that the client has not sent yet.
    held: Vec<u8>,
    /// The previous turn was too short for the client's input.
    rest: bool,
    /// Subscription ids, and whether they certainly do not end by themselves.
    sids: Vec<(u32, bool)>,
    last_sid: u32,
}

pub(super) struct Driver<'i> {
    bytes: Bytes<'i>,
    rig: Rig,
    history: History,
    /// All clients, including those that have left.
    clients: Vec<Client>,
    /// The current clients.
    slots: [Option<usize>; CLIENTS],
    large_left: usize,
}

impl<'i> Driver<'i> {
    /// Executes the input. Returns the history, and the output of each client.
    pub(super) fn run(input: &'i [u8]) -> (History, Vec<Vec<u8>>) {
        let mut bytes = Bytes(input);
        let first = bytes.next();
        let exact = first & 1 != 0;
        // Makes the choice among queue group members reproducible.
        fastrand::seed(first as u64 >> 1);
        let mut driver = Self {
            bytes,
            rig: Rig::new(),
            history: History {
                exact,
                ..History::default()
            },
            clients: Vec::new(),
            slots: [None; CLIENTS],
            large_left: 1,
        };
        for operation in 1..=MOST_OPERATIONS {
            if driver.bytes.0.is_empty() {
                break;
            }
            driver.operate();
            if exact {
                driver.settle();
            }
            if operation % OPERATIONS_PER_READ == 0 {
                driver.rig.collect();
            }
        }
        driver.end()
    }

    /// Executes everything that is left, and makes all clients leave.
    fn end(mut self) -> (History, Vec<Vec<u8>>) {
        for slot in 0..CLIENTS {
            if let Some(client) = self.slots[slot] {
                self.catch_up(client);
            }
        }
        self.settle();
        for slot in 0..CLIENTS {
            if let Some(client) = self.slots[slot] {
                self.leave(client, slot % 2);
            }
        }
        self.settle();
        self.rig.collect();
        self.history.counted = self.rig.end();
        let outputs: BTreeMap<_, _> = self.rig.outputs().collect();
        let outputs = self
            .clients
            .iter()
            .map(|client| outputs[&client.key].to_vec());
        let outputs = outputs.collect();
        (self.history, outputs)
    }

    fn operate(&mut self) {
        let operation = self.bytes.next();
        let place = operation >> 4;
        match operation & 15 {
            kind @ 12..=14 if !self.history.exact => {
                let worker = place % WORKERS;
                match kind {
                    12 => self.settle(),
                    13 => {
                        let most = self.bytes.next() % 4;
                        self.rig.clear_remains(worker, most);
                    }
                    _ => {
                        let busy = busy(self.bytes.next(), worker);
                        self.rig.while_busy(&busy, |rig| rig.take_mail(worker));
                        self.note_arrived();
                    }
                }
            }
            kind => {
                let client = self.client(place % CLIENTS);
                match kind {
                    0..=2 => self.subscribe(client),
                    3 => self.unsubscribe(client),
                    4 => self.enqueue(client, Command::Ping, b"PING\r\n"),
                    5 => {
                        let way = self.bytes.next();
                        self.leave(client, way % 4);
                    }
                    6 => self.connect_again(client),
                    7 => {
                        let (part, how) = (self.bytes.next(), How::of(self.bytes.next()));
                        self.send_part(client, part, how);
                    }
                    _ => self.publish(client),
                }
            }
        }
    }

    /// Returns the client of the slot, and connects one if there is none.
    fn client(&mut self, slot: usize) -> usize {
        if let Some(client) = self.slots[slot] {
            return client;
        }
        let byte = self.bytes.next();
        let options = options(byte, byte & 8 != 0);
        let key = self.rig.connect((byte >> 5) % WORKERS);
        let client = self.clients.len();
        self.clients.push(Client {
            key,
            options,
            queue: VecDeque::new(),
            held: Vec::new(),
            rest: false,
            sids: Vec::new(),
            last_sid: 0,
        });
        self.history.clients.push((key.worker(), options.headers));
        self.slots[slot] = Some(client);
        let frame = connect(options);
        self.queue(client, Command::Connect(options), frame.as_bytes());
        self.go(client, How::AT_ONCE);
        client
    }

    fn connect_again(&mut self, client: usize) {
        let options = options(self.bytes.next(), self.clients[client].options.headers);
        self.clients[client].options = options;
        let frame = connect(options);
        self.enqueue(client, Command::Connect(options), frame.as_bytes());
    }

    fn subscribe(&mut self, client: usize) {
        let byte = self.bytes.next();
        let pattern = self.bytes.subject(byte, PATTERN);
        let group = GROUPS[byte >> 2 & 3];
        let one = &mut self.clients[client];
        let again = one.sids.get(byte >> 4).filter(|(_, stays)| *stays);
        let sid = if self.history.exact {
            u32::try_from(byte >> 4 & 3).expect("two bits")
        } else if let Some(&(sid, _)) = again {
            // Of two subscriptions with the same sid, the server keeps the first.
            sid
        } else {
            one.last_sid += 1;
            if is_valid(&pattern) {
                one.sids.push((one.last_sid, true));
            }
            one.last_sid
        };
        let queue = group.map(|group| format!("{group} ")).unwrap_or_default();
        let frame = format!("SUB {pattern} {queue}{sid}\r\n");
        let command = Command::Subscribe {
            sid,
            pattern,
            group,
        };
        self.enqueue(client, command, frame.as_bytes());
    }

    fn unsubscribe(&mut self, client: usize) {
        let byte = self.bytes.next();
        let one = &mut self.clients[client];
        let chosen = (byte & 15) % one.sids.len().max(1);
        let sid = if self.history.exact {
            u32::try_from(byte & 3).expect("two bits")
        } else if let Some((sid, stays)) = one.sids.get_mut(chosen) {
            *stays = false;
            *sid
        } else {
            // No subscription has this sid.
            0
        };
        let max = match byte >> 4 {
            0..=7 => None,
            8 => Some(0),
            more => Some(more as u64 - 8),
        };
        let number = max.map(|max| format!(" {max}")).unwrap_or_default();
        let frame = format!("UNSUB {sid}{number}\r\n");
        self.enqueue(client, Command::Unsubscribe { sid, max }, frame.as_bytes());
    }

    fn publish(&mut self, client: usize) {
        let byte = self.bytes.next();
        let number = self.history.messages.len();
        let tokens = if byte & 0xe0 == 0xe0 {
            UNUSUAL
        } else {
            LITERAL
        };
        let mut subject = self.bytes.subject(byte, tokens);
        if subject.is_empty() {
            subject.push('a');
        }
        let reply = (byte & 4 != 0).then(|| {
            let start = self.bytes.subject(byte >> 6, LITERAL);
            format!("{start}.r{number:0DIGITS$}")
        });
        let has_headers = byte & 8 != 0 && self.clients[client].options.headers;
        let headers = if has_headers {
            format!("NATS/1.0\r\nNumber: {number}\r\n\r\n")
        } else {
            String::new()
        };
        let size = match byte & 0x70 {
            0x70 => self.bytes.next(),
            _ => 0,
        };
        let length = if size >= 0xfc && self.large_left > 0 {
            self.large_left -= 1;
            LARGE
        } else {
            SIZES[size & 3]
        };
        let mut payload = format!("{number:0DIGITS$}").into_bytes();
        payload.extend((b'a'..=b'z').cycle().take(length - DIGITS));

        let verb = match (has_headers, byte & 0x90 == 0x90) {
            (false, false) => "PUB ",
            (true, false) => "HPUB ",
            // Unusual forms, which the server must rewrite.
            (false, true) => "pub  ",
            (true, true) => "Hpub\t",
        };
        let total = headers.len() + payload.len();
        let sizes = if has_headers {
            format!("{} {total}", headers.len())
        } else {
            total.to_string()
        };
        let reply_word = reply.as_deref().map(|reply| format!("{reply} "));
        let reply_word = reply_word.unwrap_or_default();
        let frame = format!("{verb}{subject} {reply_word}{sizes}\r\n{headers}");
        let frame = [frame.as_bytes(), &payload, b"\r\n"].concat();
        self.history.messages.push(Message {
            subject,
            reply,
            headers: headers.into_bytes(),
            payload,
        });
        self.enqueue(client, Command::Publish(number), &frame);
    }

    /// Makes a client leave: after its input is executed, when its worker notices, by losing the
    /// connection, or by a protocol error.
    fn leave(&mut self, client: usize, way: usize) {
        let key = self.clients[client].key;
        match way {
            0 | 1 => {
                if way == 0 {
                    self.catch_up(client);
                }
                self.rig.shut(key);
                while self.is_there(client) {
                    self.turn(client, How::AT_ONCE);
                }
            }
            2 => {
                self.rig.collect();
                self.rig.lose(key);
                self.has_left(client);
            }
            _ => {
                let (frame, told) = if self.clients[client].options.headers {
                    ("SUBB\r\n", Some("-ERR 'Unknown Protocol Operation'"))
                } else {
                    ("HPUB a 12 12\r\nNATS/1.0\r\n\r\n\r\n", None)
                };
                self.queue(client, Command::Break(told), frame.as_bytes());
                self.catch_up(client);
            }
        }
    }

    fn is_there(&self, client: usize) -> bool {
        self.slots.contains(&Some(client))
    }

    fn has_left(&mut self, client: usize) {
        self.history.push(client, Command::Leave);
        for slot in &mut self.slots {
            slot.take_if(|other| *other == client);
        }
    }

    /// Appends a frame to the client's unsent bytes.
    fn queue(&mut self, client: usize, command: Command, frame: &[u8]) {
        let client = &mut self.clients[client];
        client.queue.push_back((command, frame.len()));
        client.held.extend_from_slice(frame);
    }

    /// Same as `queue`, but the input decides when the frame is sent and executed.
    fn enqueue(&mut self, client: usize, command: Command, frame: &[u8]) {
        self.queue(client, command, frame);
        let how = self.bytes.next();
        if self.history.exact {
            // The frame often arrives in two parts.
            self.send_part(client, how, How::AT_ONCE);
            self.catch_up(client);
        } else if self.clients[client].held.len() > MOST_HELD {
            self.catch_up(client);
        } else {
            self.go(client, How::of(how));
        }
    }

    /// Makes a client send the start of its unsent bytes.
    fn send_part(&mut self, client: usize, part: usize, how: How) {
        let one = &mut self.clients[client];
        let part = part.min(one.held.len());
        let rest = one.held.split_off(part);
        self.go(client, How { hold: false, ..how });
        self.clients[client].held = rest;
    }

    /// Makes a client send its unsent bytes, and gives it one turn.
    fn go(&mut self, client: usize, how: How) {
        if how.hold {
            return;
        }
        let one = &mut self.clients[client];
        let held = std::mem::take(&mut one.held);
        self.rig.write(one.key, &held);
        self.turn(client, how);
    }

    /// Executes everything that a client has to send.
    fn catch_up(&mut self, client: usize) {
        // Turns make room for bytes that did not fit before.
        while self.clients[client].rest {
            self.turn(client, How::AT_ONCE);
        }
        self.go(client, How::AT_ONCE);
        for _ in 0..MOST_TURNS {
            if !self.is_there(client) || self.clients[client].queue.is_empty() {
                return;
            }
            self.turn(client, How::AT_ONCE);
        }
        panic!("a frame was not executed");
    }

    /// Gives a client a turn.
    fn turn(&mut self, client: usize, how: How) {
        let key = self.clients[client].key;
        let worker = key.worker();
        let busy = busy(how.busy, worker);
        if how.mail_first {
            while self.rig.has_mail(worker) {
                self.rig.while_busy(&busy, |rig| rig.take_mail(worker));
            }
            self.note_arrived();
        }
        let turn = self.rig.while_busy(&busy, |rig| rig.turn(key, how.most));
        let mut left = turn.used;
        while left > 0 {
            let next = self.clients[client].queue.pop_front();
            let (command, length) = next.expect("it has sent so much");
            left = left.checked_sub(length).expect("no part of a frame");
            self.history.push(client, command);
        }
        self.clients[client].rest = turn.then == Then::Rest;
        match turn.then {
            Then::Left => self.has_left(client),
            Then::Failed(error) => {
                let next = self.clients[client].queue.pop_front();
                let Some((command @ Command::Break(_), _)) = next else {
                    panic!("{error} for {next:?}");
                };
                self.history.push(client, command);
                self.has_left(client);
            }
            Then::Idle | Then::Rest => {}
        }
        self.note_arrived();
    }

    /// Makes the workers finish their work.
    fn settle(&mut self) {
        self.rig.settle();
        self.history.epoch += 1;
        self.note_arrived();
    }

    /// A worker without mail has delivered all messages for it.
    fn note_arrived(&mut self) {
        for worker in 0..WORKERS {
            if !self.rig.has_mail(worker) {
                self.history.arrived[worker] = self.history.entries.len();
            }
        }
    }
}

/// Returns the workers with these bits set, except the acting one.
fn busy(bits: usize, except: usize) -> Vec<usize> {
    let is_busy = |&worker: &usize| worker != except && bits >> worker & 1 != 0;
    (0..WORKERS).filter(is_busy).collect()
}

fn options(byte: usize, headers: bool) -> Options {
    Options {
        verbose: byte & 1 != 0,
        pedantic: byte & 2 != 0,
        echo: byte & 4 == 0,
        headers,
        no_responders: headers && byte & 16 != 0,
    }
}

fn connect(options: Options) -> String {
    let Options {
        verbose,
        pedantic,
        echo,
        headers,
        no_responders,
    } = options;
    format!(
        "CONNECT {{\"verbose\":{verbose},\"pedantic\":{pedantic},\"echo\":{echo},\
         \"headers\":{headers},\"no_responders\":{no_responders}}}\r\n"
    )
}
