//! The start of a worker's connections: INFO, TLS and WebSocket.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use mio::{Interest, Token};

use super::{MOST_WELCOMED, Worker};
use crate::config::First;
use crate::connection::{Connection, Phase};
use crate::execute::{encrypt, identify};
use crate::key::ConnectionKey;
#[cfg(feature = "tls")]
use crate::layers::Layers;
use crate::leaf::link::Dialled;
use crate::local::{Local, Reason};
use crate::mailbox::Accepted;
#[cfg(feature = "tls")]
use crate::tls::Session;
use crate::transport::Transport;

impl Worker {
    /// Takes over new connections, a few at a time.
    pub(super) fn welcome_some(&mut self, local: &mut Local) {
        for _ in 0..MOST_WELCOMED {
            let Some(accepted) = self.mailbox().take_connection() else {
                return;
            };
            let address = accepted.address;
            if let Err(error) = self.welcome(local, accepted) {
                tracing::debug!("client at {address} disconnected: {error}");
            }
        }
    }

    /// Takes over a connection and sends INFO.
    pub(super) fn welcome(&mut self, local: &mut Local, accepted: Accepted) -> io::Result<()> {
        let Accepted {
            socket,
            address,
            id,
            websocket,
        } = accepted;
        let now = local.now;
        if local.clients.is_empty() {
            self.next_tick = now + self.tick;
        }
        local.counters.total_connections += 1;
        let settings = Arc::clone(&self.executor.settings);
        let ping_interval = settings.intervals.ping_interval;
        let transport = Transport::new(socket);
        let key = local.insert(id, |key| {
            Connection::new(transport, address, key, id, now, ping_interval)
        });
        let access = &settings.access;
        if let Some(guest) = access.guest() {
            identify(local, key, Arc::clone(guest));
        } else {
            let deadline = now + settings.auth_timeout;
            local.change(key, |client| client.phase = Phase::Stranger(deadline));
        }
        #[cfg(feature = "tls")]
        if access.has_keys() {
            let nonce = crate::nkey::nonce()?;
            local.change(key, |client| client.nonce = Some(nonce.into()));
        }
        if websocket {
            return self.begin_websocket(local, key);
        }
        let first = if settings.info.tls_required || settings.info.tls_available {
            settings.tls_start.first
        } else {
            First::Never
        };
        if first == First::Never {
            self.say_info(local, key);
            // INFO is sent in plaintext, before TLS starts.
            local.flush_now(key);
        }
        #[cfg(feature = "tls")]
        if let Some(tls) = &settings.tls {
            let session = Session::new(tls).map_err(io::Error::other)?;
            let delay = match first {
                First::Auto(delay) => delay,
                First::Never | First::Always => Duration::ZERO,
            };
            local.change(key, |client| {
                let mut layers = Layers::tls(session);
                layers.owes_info = first != First::Never;
                client.transport.layers = Some(Box::new(layers));
                client.phase = Phase::Handshake(now + settings.tls_timeout + delay);
            });
            if delay > Duration::ZERO {
                self.hesitant.push_back((now + delay, key));
            }
        }
        self.watch(local, key)
            .inspect_err(|_| local.close(key, Reason::Gone))
    }

    /// Starts TLS, if it is required, and the WebSocket upgrade. INFO follows after that.
    #[cfg(feature = "tls")]
    pub(super) fn begin_websocket(
        &mut self,
        local: &mut Local,
        key: ConnectionKey,
    ) -> io::Result<()> {
        if let Some(terms) = &self.executor.settings.websocket {
            let session = terms.tls.as_ref().map(Session::new).transpose();
            let session = session.map_err(io::Error::other)?;
            let deadline = local.now + terms.handshake_timeout;
            local.change(key, |client| {
                let layers = Layers::websocket(session, &terms.rules);
                client.transport.layers = Some(Box::new(layers));
                client.phase = Phase::Handshake(deadline);
            });
        }
        self.watch(local, key)
            .inspect_err(|_| local.close(key, Reason::Gone))
    }

    /// Fails, because this build does not support WebSocket.
    #[cfg(not(feature = "tls"))]
    #[allow(clippy::unused_self)]
    pub(super) fn begin_websocket(
        &mut self,
        local: &mut Local,
        key: ConnectionKey,
    ) -> io::Result<()> {
        local.close(key, Reason::Gone);
        Err(io::ErrorKind::Unsupported.into())
    }

    /// The time limit for the credentials starts at the end of the handshake.
    pub(super) fn end_handshake(&mut self, local: &mut Local, key: ConnectionKey) {
        let deadline = local.now + self.executor.settings.auth_timeout;
        let Some(client) = local.get(key) else {
            return;
        };
        if !client.transport.is_flushed() {
            // TLS or WebSocket may have output of its own.
            local.tell(key, b"");
        }
        let Some(client) = local.get(key) else {
            return;
        };
        if !matches!(client.phase, Phase::Handshake(_)) || client.transport.is_handshaking() {
            return;
        }
        if let Some(link) = &client.link {
            let awaits_info = link.awaits_info();
            client.phase = Phase::Guest;
            if !awaits_info {
                self.executor.connect_to_hub(local, key);
            }
            return;
        }
        let owes_info = client.transport.owes_info();
        // A reload may have changed the settings since the connection was accepted.
        let guest = self.executor.settings.access.guest().cloned();
        client.phase = match guest {
            Some(_) => Phase::Guest,
            None => Phase::Stranger(deadline),
        };
        if let Some(guest) = guest {
            identify(local, key, guest);
        }
        if owes_info {
            self.say_info(local, key);
        }
        // Output that was held back by the handshake can be written now.
        local.tell(key, b"");
    }

    /// Returns whether a client has sent nothing, and may use plaintext.
    pub(super) fn may_be_in_clear(&self, local: &mut Local, key: ConnectionKey) -> bool {
        self.executor.settings.tls_start.allows_clear()
            && local.get(key).is_some_and(|client| {
                client.transport.is_untouched() && !client.transport.is_websocket()
            })
    }

    /// Continues without TLS.
    pub(super) fn go_on_in_clear(&mut self, local: &mut Local, key: ConnectionKey) {
        let owes_info = local.change(key, |client| {
            let owes_info = client.transport.owes_info();
            #[cfg(feature = "tls")]
            {
                client.transport.layers = None;
            }
            owes_info
        });
        if owes_info == Some(true) {
            self.say_info(local, key);
        }
        self.end_handshake(local, key);
        local.unblock(key.slot());
        self.queue(local, key.slot());
    }

    /// Sends INFO in plaintext to clients that have not begun TLS in time. They may still begin it
    /// then.
    pub(super) fn end_hesitation(&mut self, local: &mut Local) {
        while let Some(&(deadline, key)) = self.hesitant.front()
            && deadline <= local.now
        {
            self.hesitant.pop_front();
            let untouched = |client: &mut Connection| client.transport.is_untouched();
            if !local.get(key).is_some_and(untouched) {
                continue;
            }
            #[cfg(feature = "tls")]
            {
                let layers = local.change(key, |client| client.transport.layers.take());
                self.say_info(local, key);
                local.flush_now(key);
                local.change(key, |client| {
                    client.transport.layers = layers.flatten();
                    if let Some(layers) = &mut client.transport.layers {
                        layers.owes_info = false;
                    }
                });
            }
        }
    }

    /// Sends INFO to a client.
    pub(super) fn say_info(&self, local: &mut Local, key: ConnectionKey) {
        let Some(client) = local.get(key) else {
            return;
        };
        let mut info = self.executor.settings.info.clone();
        info.ldm = self.is_ending();
        info.nonce = client.nonce.as_deref().map(str::to_owned);
        info.client_id = client.id;
        info.client_ip = client.address.ip().to_string();
        #[cfg(feature = "tls")]
        if let Some(terms) = &self.executor.settings.websocket
            && let Some(address) = self.shared.websocket
            && client.transport.is_websocket()
        {
            terms.put_into(&mut info, address);
        } else if client.transport.owes_info() {
            // The handshake came first.
            info.tls_required = true;
        }
        local.tell(key, &info.line());
    }

    /// Takes over new connections to hubs.
    pub(super) fn take_links(&mut self, local: &mut Local) {
        while let Some(dialled) = self.mailbox().take_link() {
            let now = local.now;
            if local.clients.is_empty() {
                self.next_tick = now + self.tick;
            }
            let Dialled {
                socket,
                address,
                id,
                link,
            } = dialled;
            let remote = Arc::clone(&link.remote);
            let key = local.insert(id, |key| {
                let transport = Transport::new(socket);
                Connection::new(transport, address, key, id, now, Duration::ZERO).of_hub(link)
            });
            remote.set_connection(Some(key));
            if self.watch(local, key).is_err() || self.draining.is_some() {
                local.close(key, Reason::Shutdown);
            } else if remote.leaf.tls_first && encrypt(local, key).is_err() {
                local.close(key, Reason::Gone);
            }
        }
    }

    /// Registers a connection for events.
    pub(super) fn watch(&self, local: &mut Local, key: ConnectionKey) -> io::Result<()> {
        // Both interests from the start: with edge-triggered events, the second costs nothing until
        // a write blocks, and changing it would cost a system call.
        let interest = Interest::READABLE | Interest::WRITABLE;
        let Some(client) = local.get(key) else {
            return Ok(());
        };
        let socket = &mut client.transport.socket;
        self.registry.register(socket, Token(key.slot()), interest)
    }
}
