"""Tests the official Python client, nats-py, against the server in SERVER_UNDER_TEST.

The same tests pass against nats-server, the reference. Besides nats-py they need the
certificates of `clients/certificates FOLDER`; the variable CERTIFICATES is that folder.
"""

import asyncio
import logging
import os
import ssl
import sys
import time
import unittest

import nats
from nats.errors import (
    ConnectionClosedError,
    Error,
    MaxPayloadError,
    NoRespondersError,
    TimeoutError as NoReplyError,
)
from nats.js.api import Header

from server import Description, Server, Tls

# Time limit of each wait in seconds, reached only if the event never comes.
LIMIT = 20

MIB = 1024 * 1024


def certificate(name):
    return os.path.join(os.environ["CERTIFICATES"], f"{name}.pem")


def tls(name="server", clients_ca=None):
    ca = certificate(clients_ca) if clients_ca else None
    return Tls(certificate(name), certificate(f"{name}-key"), ca)


def trusting(authority, presenting=None):
    context = ssl.create_default_context(cafile=certificate(authority))
    if presenting:
        key = certificate(f"{presenting}-key")
        context.load_cert_chain(certificate(presenting), key)
    return context


def numbers(count):
    return [b"%d" % number for number in range(count)]


def pattern(size):
    """Returns bytes whose period divides no buffer size."""
    return (bytes(range(251)) * (size // 251 + 1))[:size]


async def round_trip(client):
    """Returns when the server has processed everything that this client sent, and the
    client has received everything that the server sent: a message to itself overtakes
    nothing. (The client's own flush is not enough: it sends PING before commands that
    wait to be written.)"""
    arrived = asyncio.get_running_loop().create_future()

    async def arrive(_message):
        arrived.set_result(None)

    inbox = client.new_inbox()
    subscription = await client.subscribe(inbox, cb=arrive)
    await client.publish(inbox)
    await asyncio.wait_for(arrived, LIMIT)
    await subscription.unsubscribe()


class Inbox:
    """The messages of a subscription."""

    def __init__(self):
        self._queue = asyncio.Queue()
        self.subscription = None

    async def put(self, message):
        self._queue.put_nowait(message)

    async def messages(self, count):
        async def take():
            return [await self._queue.get() for _ in range(count)]

        return await asyncio.wait_for(take(), LIMIT)

    async def message(self):
        return (await self.messages(1))[0]

    async def payloads(self, count):
        return [message.data for message in await self.messages(count)]

    def rest(self):
        """Returns the payloads received so far."""
        return [self._queue.get_nowait().data for _ in range(self._queue.qsize())]


class Clients(unittest.IsolatedAsyncioTestCase):
    def run(self, result=None):
        self.servers = []
        problems = lambda: len(result.failures) + len(result.errors)  # noqa: E731
        before = result and problems()
        super().run(result)
        if result and problems() > before:
            for server in self.servers:
                print(f"--- {self.id()}: the server's stderr ---\n{server.log()}---",
                      file=sys.stderr)

    def serve(self, **described):
        server = Server(Description(**described))
        self.servers.append(server)
        self.addCleanup(server.close)
        return server

    async def connect(self, server, **options):
        async def ignore(_error):
            pass

        options.setdefault("error_cb", ignore)
        options.setdefault("connect_timeout", LIMIT)
        options.setdefault("reconnect_time_wait", 0.02)
        options.setdefault("max_reconnect_attempts", -1)
        client = await asyncio.wait_for(
            nats.connect(server.address, **options), LIMIT
        )
        self.addAsyncCleanup(client.close)
        return client

    async def refused(self, server, **options):
        with self.assertRaises(Exception) as raised:
            await self.connect(server, allow_reconnect=False, **options)
        return raised.exception

    async def subscribe(self, client, subject, queue=""):
        """Subscribes, and returns when the server has processed it."""
        inbox = Inbox()
        inbox.subscription = await client.subscribe(subject, queue=queue, cb=inbox.put)
        await round_trip(client)
        return inbox

    async def sent_for(self, client, subject, payloads):
        """Publishes, and returns how many messages the server sent this client for it. The
        client limits subscriptions by itself too, so deliveries would not tell."""
        before = client.stats["in_msgs"]
        for payload in payloads:
            await client.publish(subject, payload)
        await round_trip(client)
        return client.stats["in_msgs"] - before - 1


class Messages(Clients):
    async def test_a_message_reaches_each_subscriber(self):
        server = self.serve()
        publisher = await self.connect(server)
        other = await self.connect(server)
        inboxes = [
            await self.subscribe(client, "greetings")
            for client in (publisher, other, other)
        ]
        await publisher.publish("others", b"not for them")
        await publisher.publish("greetings", b"hello", reply="answers.here")
        for inbox in inboxes:
            message = await inbox.message()
            self.assertEqual(message.subject, "greetings")
            self.assertEqual(message.data, b"hello")
            self.assertEqual(message.reply, "answers.here")
            self.assertIsNone(message.headers)

    async def test_payloads_are_bytes(self):
        server = self.serve()
        publisher, other = await self.connect(server), await self.connect(server)
        inbox = await self.subscribe(other, "bytes")
        payloads = [
            bytes(range(256)),
            b"",
            bytes(100),
            b"\r\n",
            b"\r\nMSG bytes 1 5\r\nPING\r\n",
            b"\xff\xfe\xc3\x28",
        ]
        for payload in payloads:
            await publisher.publish("bytes", payload)
        self.assertEqual(await inbox.payloads(len(payloads)), payloads)

    async def test_payloads_up_to_the_limit_pass(self):
        server = self.serve()
        publisher, other = await self.connect(server), await self.connect(server)
        inbox = await self.subscribe(other, "large")
        self.assertEqual(publisher.max_payload, MIB)
        for size in (65_535, 65_536, MIB - 1, MIB):
            await publisher.publish("large", pattern(size))
            received = (await inbox.message()).data
            self.assertTrue(received == pattern(size), f"{size} bytes arrive changed")

    async def test_payloads_over_the_limit_are_an_error(self):
        server = self.serve(max_payload=1000)
        client = await self.connect(server)
        self.assertEqual(client.max_payload, 1000)
        inbox = await self.subscribe(client, "limited")
        with self.assertRaises(MaxPayloadError):
            await client.publish("limited", bytes(1001))
        await client.publish("limited", bytes(1000))
        self.assertEqual(await inbox.payloads(1), [bytes(1000)])

    async def test_the_server_refuses_payloads_over_the_limit(self):
        # Small enough that the server reads everything at once: with unread bytes,
        # closing the connection would discard its error.
        server = self.serve(max_payload=100)
        closed = asyncio.Event()

        async def close():
            closed.set()

        client = await self.connect(server, allow_reconnect=False, closed_cb=close)
        other = await self.connect(server)
        inbox = await self.subscribe(other, "limited")
        # Without this, the client itself would refuse the payload.
        client._max_payload = 200
        await client.publish("limited", bytes(101))
        await asyncio.wait_for(closed.wait(), LIMIT)
        self.assertIn("maximum payload violation", str(client.last_error).lower())
        await other.publish("limited", b"unharmed")
        self.assertEqual(await inbox.payloads(1), [b"unharmed"])

    async def test_thousands_of_messages_arrive_in_order(self):
        count = 10_000
        server = self.serve()
        publisher, other = await self.connect(server), await self.connect(server)
        inbox = await self.subscribe(other, "numbers")
        for number in numbers(count):
            await publisher.publish("numbers", number)
        self.assertEqual(await inbox.payloads(count), numbers(count))

    async def test_concurrent_publishers_keep_their_own_order(self):
        server = self.serve()
        other = await self.connect(server)
        inbox = await self.subscribe(other, "from.*")

        async def publish(publisher):
            client = await self.connect(server)
            for number in numbers(500):
                await client.publish(f"from.{publisher}", number)
            await round_trip(client)

        await asyncio.wait_for(asyncio.gather(*map(publish, range(8))), LIMIT)
        received = {}
        for message in await inbox.messages(8 * 500):
            received.setdefault(message.subject, []).append(message.data)
        expected = {f"from.{publisher}": numbers(500) for publisher in range(8)}
        self.assertEqual(received, expected)

    async def test_without_echo_a_client_does_not_hear_itself(self):
        server = self.serve()
        silent = await self.connect(server, no_echo=True)
        other = await self.connect(server)
        probe = await self.subscribe(other, "said")
        own = Inbox()
        await silent.subscribe("said", cb=own.put)
        await silent.publish("said", b"by itself")
        # Now the server has processed the subscription and the message, ...
        self.assertEqual(await probe.payloads(1), [b"by itself"])
        await other.publish("said", b"by another")
        # ... so an echo would come first.
        self.assertEqual(await own.payloads(1), [b"by another"])

    async def test_flush_is_answered(self):
        server = self.serve()
        client, other = await self.connect(server), await self.connect(server)
        inbox = await self.subscribe(other, "flushed")
        for number in numbers(100):
            await client.publish("flushed", number)
            await asyncio.wait_for(client.flush(), LIMIT)
        self.assertEqual(await inbox.payloads(100), numbers(100))

    async def test_verbose_and_pedantic_clients_are_served(self):
        server = self.serve()
        client = await self.connect(server, verbose=True, pedantic=True)
        inbox = await self.subscribe(client, "words")
        await client.publish("words", b"many")
        self.assertEqual(await inbox.payloads(1), [b"many"])


class Subjects(Clients):
    async def assert_takes(self, server, subject, published, taken, end):
        """Asserts that a subscription receives only `taken` of the published subjects,
        then `end`."""
        client = await self.connect(server)
        inbox = await self.subscribe(client, subject)
        for other in published:
            await client.publish(other)
        await client.publish(end)
        # `>` also receives the message of `round_trip`.
        messages = await inbox.messages(len(taken) + 1 + (subject == ">"))
        subjects = [m.subject for m in messages if not m.subject.startswith("_INBOX.")]
        self.assertEqual(subjects, [*taken, end], subject)

    async def test_wildcards_receive_what_they_match(self):
        server = self.serve()
        published = "a b a.b a.c b.b a.b.c a.d.c a.b.d b.b.c a.b.c.d ab.c".split()
        for subject, taken, end in [
            ("a.*", "a.b a.c", "a.end"),
            ("*", "a b", "end"),
            ("*.b", "a.b b.b", "end.b"),
            ("a.*.c", "a.b.c a.d.c", "a.end.c"),
            ("*.*.c", "a.b.c a.d.c b.b.c", "end.end.c"),
            ("a.>", "a.b a.c a.b.c a.d.c a.b.d a.b.c.d", "a.end"),
            ("a.*.>", "a.b.c a.d.c a.b.d a.b.c.d", "a.b.end"),
            (">", " ".join(published), "end"),
        ]:
            await self.assert_takes(server, subject, published, taken.split(), end)

    async def test_subjects_are_unicode(self):
        server = self.serve()
        published = ["日本.ключ", "日本.🦀", "日.本", "Straße.ключ"]
        await self.assert_takes(server, "日本.*", published, published[:2], "日本.終")
        await self.assert_takes(server, "日.本.>", published, [], "日.本.終")

    async def test_a_subscription_ends_after_as_many_messages(self):
        server = self.serve()
        client = await self.connect(server)
        inbox = await self.subscribe(client, "max")
        self.assertEqual(await self.sent_for(client, "max", [b"before"]), 1)
        # Messages delivered before count as well.
        await inbox.subscription.unsubscribe(limit=6)
        self.assertEqual(await self.sent_for(client, "max", numbers(20)), 5)
        self.assertEqual(await inbox.payloads(6), [b"before", *numbers(5)])

    async def test_unsubscribing_ends_it(self):
        server = self.serve()
        client = await self.connect(server)
        ended = await self.subscribe(client, "u")
        self.assertEqual(await self.sent_for(client, "u", [b"before"]), 1)
        self.assertEqual(await ended.payloads(1), [b"before"])
        await ended.subscription.unsubscribe()
        self.assertEqual(await self.sent_for(client, "u", [b"after"]), 0)


class Queues(Clients):
    async def test_one_member_takes_each_message_and_none_is_left_out(self):
        server = self.serve()
        publisher = await self.connect(server)
        clients = [await self.connect(server) for _ in range(4)]
        members = [await self.subscribe(c, "work", "workers") for c in clients]
        plain = [await self.subscribe(c, "work") for c in clients[:2]]
        for number in numbers(1000):
            await publisher.publish("work", number)
        await round_trip(publisher)
        for inbox in plain:
            self.assertEqual(await inbox.payloads(1000), numbers(1000))
        for member in members:
            await asyncio.wait_for(member.subscription.drain(), LIMIT)
        taken = [member.rest() for member in members]
        self.assertTrue(all(taken), [len(each) for each in taken])
        self.assertEqual(sorted(sum(taken, []), key=int), numbers(1000))

    async def test_each_group_takes_each_message(self):
        server = self.serve()
        client = await self.connect(server)
        groups = [
            await self.subscribe(client, subject, group)
            for subject, group in [("w.x", "red"), ("w.x", "blue"), ("w.>", "green")]
        ]
        for number in numbers(100):
            await client.publish("w.x", number)
        for group in groups:
            self.assertEqual(await group.payloads(100), numbers(100))


class Headers(Clients):
    async def test_headers_arrive_as_they_were_sent(self):
        server = self.serve()
        publisher, other = await self.connect(server), await self.connect(server)
        inbox = await self.subscribe(other, "headers")
        headers = {"X-One": "1", "x-one": "case", "Umlaut": "größer: 🦀", "Empty": ""}
        for payload in (b"payload", b"", bytes(range(256))):
            await publisher.publish("headers", payload, headers=headers)
            message = await inbox.message()
            self.assertEqual(message.data, payload)
            self.assertEqual(message.headers, headers)

    async def test_headers_go_with_a_reply_subject(self):
        server = self.serve()
        client = await self.connect(server)
        inbox = await self.subscribe(client, "headers")
        await client.publish("headers", b"?", reply="answers", headers={"Trace": "7"})
        message = await inbox.message()
        self.assertEqual(message.reply, "answers")
        self.assertEqual(message.headers, {"Trace": "7"})


class Requests(Clients):
    async def answer(self, client, subject, queue=""):
        async def respond(message):
            await client.publish(
                message.reply, b"echo: " + message.data, headers=message.headers
            )

        await client.subscribe(subject, queue=queue, cb=respond)
        await round_trip(client)

    async def test_a_request_is_answered(self):
        server = self.serve()
        asks, answers = await self.connect(server), await self.connect(server)
        await self.answer(answers, "echo")
        reply = await asks.request("echo", b"?", timeout=LIMIT)
        self.assertEqual(reply.data, b"echo: ?")
        headers = {"Trace": "1"}
        reply = await asks.request("echo", b"!", timeout=LIMIT, headers=headers)
        self.assertEqual((reply.data, reply.headers), (b"echo: !", headers))
        reply = await asks.request("echo", b"old", timeout=LIMIT, old_style=True)
        self.assertEqual(reply.data, b"echo: old")

    async def test_concurrent_requests_each_get_their_own_reply(self):
        server = self.serve()
        for _ in range(2):
            await self.answer(await self.connect(server), "echo", "answerers")
        asks = await self.connect(server)
        replies = await asyncio.gather(
            *(asks.request("echo", number, timeout=LIMIT) for number in numbers(1000))
        )
        expected = [b"echo: " + number for number in numbers(1000)]
        self.assertEqual([reply.data for reply in replies], expected)

    async def test_a_request_without_responders_fails_at_once(self):
        server = self.serve()
        client = await self.connect(server)
        started = time.monotonic()
        with self.assertRaises(NoRespondersError):
            await client.request("nobody", b"?", timeout=LIMIT)
        with self.assertRaises(NoRespondersError):
            await client.request("nobody", b"?", timeout=LIMIT, headers={"A": "b"})
        self.assertLess(time.monotonic() - started, LIMIT / 2)

    async def test_a_request_without_responders_gets_a_503_without_payload(self):
        server = self.serve()
        client = await self.connect(server)
        inbox = await self.subscribe(client, "replies")
        await client.publish("nobody", b"?", reply="replies")
        message = await inbox.message()
        self.assertEqual(message.headers, {Header.STATUS: "503"})
        self.assertEqual((message.data, message.reply), (b"", ""))

    async def test_a_subscriber_that_does_not_answer_is_waited_for(self):
        server = self.serve()
        asks, silent = await self.connect(server), await self.connect(server)
        inbox = await self.subscribe(silent, "silence")
        with self.assertRaises(NoReplyError):
            await asks.request("silence", b"?", timeout=0.2)
        self.assertEqual(await inbox.payloads(1), [b"?"])


class Draining(Clients):
    async def test_a_drained_subscription_loses_nothing(self):
        server = self.serve()
        publisher, client = await self.connect(server), await self.connect(server)
        inbox = await self.subscribe(client, "d")
        for number in numbers(1000):
            await publisher.publish("d", number)
        await round_trip(publisher)
        await asyncio.wait_for(inbox.subscription.drain(), LIMIT)
        self.assertEqual(inbox.rest(), numbers(1000))
        await round_trip(client)
        self.assertEqual(await self.sent_for(client, "d", [b"late"]), 0)

    async def test_a_drained_connection_loses_nothing(self):
        server = self.serve()
        leaves, stays = await self.connect(server), await self.connect(server)
        received = await self.subscribe(leaves, "received")
        sent = await self.subscribe(stays, "sent")
        for number in numbers(1000):
            await stays.publish("received", number)
            await leaves.publish("sent", number)
        await round_trip(stays)
        await asyncio.wait_for(leaves.drain(), LIMIT)
        self.assertTrue(leaves.is_closed)
        self.assertEqual(received.rest(), numbers(1000))
        self.assertEqual(await sent.payloads(1000), numbers(1000))
        with self.assertRaises(ConnectionClosedError):
            await leaves.publish("sent", b"late")

    async def test_a_closed_connection_has_sent_all(self):
        server = self.serve()
        leaves, stays = await self.connect(server), await self.connect(server)
        sent = await self.subscribe(stays, "sent")
        for number in numbers(1000):
            await leaves.publish("sent", number)
        await leaves.close()
        self.assertEqual(await sent.payloads(1000), numbers(1000))


class Reconnecting(Clients):
    async def assert_resumes(self, server, end, **options):
        events = [asyncio.Queue(), asyncio.Queue()]
        clients = []
        for queue in events:

            async def gone(queue=queue):
                queue.put_nowait("gone")

            async def back(queue=queue):
                queue.put_nowait("back")

            clients.append(
                await self.connect(
                    server, disconnected_cb=gone, reconnected_cb=back, **options
                )
            )
        publisher, subscriber = clients
        inboxes = [
            await self.subscribe(subscriber, "r.plain"),
            await self.subscribe(subscriber, "r.*"),
            await self.subscribe(subscriber, "r.>", "group"),
        ]
        for payload in (b"first", b"second", b"third"):
            await publisher.publish("r.plain", payload)
            for inbox in inboxes:
                self.assertEqual(await inbox.payloads(1), [payload])
            if payload == b"third":
                break
            end(server)
            for queue in events:
                self.assertEqual(await asyncio.wait_for(queue.get(), LIMIT), "gone")
            server.start()
            for queue in events:
                self.assertEqual(await asyncio.wait_for(queue.get(), LIMIT), "back")
            await round_trip(subscriber)

    async def test_subscriptions_resume_after_a_crash(self):
        await self.assert_resumes(self.serve(), Server.kill)

    async def test_subscriptions_resume_after_an_orderly_end(self):
        await self.assert_resumes(self.serve(), Server.terminate)

    async def test_subscriptions_resume_with_authentication_and_tls(self):
        await self.assert_resumes(
            self.serve(user=("ann", "secret"), tls=tls()),
            Server.kill,
            user="ann",
            password="secret",
            tls=trusting("servers"),
        )


class Authentication(Clients):
    async def assert_welcome(self, server, **options):
        client = await self.connect(server, **options)
        inbox = await self.subscribe(client, "in")
        await client.publish("in", b"welcome")
        self.assertEqual(await inbox.payloads(1), [b"welcome"])

    async def assert_refused(self, server, **options):
        error = await self.refused(server, **options)
        self.assertIsInstance(error, Error)
        self.assertEqual(str(error), "nats: 'Authorization Violation'")

    async def test_user_and_password(self):
        server = self.serve(user=("ann", "s3cret pässword"))
        await self.assert_welcome(server, user="ann", password="s3cret pässword")
        for options in [
            {"user": "ann", "password": "s3cret"},
            {"user": "ann", "password": ""},
            {"user": "anna", "password": "s3cret pässword"},
            {"token": "s3cret pässword"},
            {},
        ]:
            with self.subTest(options):
                await self.assert_refused(server, **options)

    async def test_token(self):
        server = self.serve(token="t0ken-of-the-test")
        await self.assert_welcome(server, token="t0ken-of-the-test")
        for options in [
            {"token": "t0ken"},
            {"token": "T0ken-of-the-test"},
            {"user": "ann", "password": "t0ken-of-the-test"},
            {},
        ]:
            with self.subTest(options):
                await self.assert_refused(server, **options)


class Encryption(Clients):
    async def test_a_server_that_the_authority_vouches_for_is_trusted(self):
        server = self.serve(tls=tls())
        client = await self.connect(server, tls=trusting("servers"))
        inbox = await self.subscribe(client, "secret")
        for size in (0, 1, 16_384, 16_385, MIB):
            await client.publish("secret", pattern(size))
            received = (await inbox.message()).data
            self.assertTrue(received == pattern(size), f"{size} bytes arrive changed")
        for number in numbers(2000):
            await client.publish("secret", number)
        self.assertEqual(await inbox.payloads(2000), numbers(2000))

    async def test_a_server_of_another_authority_is_not_trusted(self):
        server = self.serve(tls=tls())
        error = await self.refused(server, tls=trusting("clients"))
        self.assertIsInstance(error, ssl.SSLCertVerificationError)
        await self.connect(server, tls=trusting("servers"))

    async def test_a_certificate_for_another_host_is_not_trusted(self):
        server = self.serve(tls=tls("elsewhere"))
        error = await self.refused(server, tls=trusting("servers"))
        self.assertIsInstance(error, ssl.SSLCertVerificationError)

    async def test_a_client_certificate_is_required(self):
        server = self.serve(tls=tls(clients_ca="clients"))
        client = await self.connect(server, tls=trusting("servers", "client"))
        inbox = await self.subscribe(client, "secret")
        await client.publish("secret", b"known")
        self.assertEqual(await inbox.payloads(1), [b"known"])
        await self.refused(server, tls=trusting("servers"))
        await self.refused(server, tls=trusting("servers", "stranger"))

    async def test_a_password_is_required_within_tls(self):
        server = self.serve(user=("ann", "secret"), tls=tls())
        options = {"user": "ann", "tls": trusting("servers")}
        await self.connect(server, password="secret", **options)
        error = await self.refused(server, password="wrong", **options)
        self.assertIn("Authorization Violation", str(error))


def main():
    # asyncio warns about slow steps and about how nats-py ends TLS connections.
    logging.getLogger("asyncio").setLevel(logging.ERROR)
    program = unittest.main(exit=False, warnings="ignore")
    result = program.result
    failed = len({id(test) for test, _ in result.failures + result.errors})
    failed += len(result.unexpectedSuccesses)
    word = "ok" if result.wasSuccessful() and result.testsRun else "FAILED"
    passed = max(result.testsRun - failed - len(result.skipped), 0)
    print(f"test result: {word}. {passed} passed; {failed} failed", flush=True)
    return 0 if word == "ok" else 1


if __name__ == "__main__":
    sys.exit(main())
