"""aiokafka against a broker: python aiokafka_client.py BROKERS SCENARIO. Prints a note; any failure is an exception."""

import asyncio
import sys

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewPartitions, NewTopic, RecordsToDelete
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

RECORDS = 2000
WAIT_S = 60
brokers, scenario, *args = sys.argv[1:]


async def create(topic, partitions):
    admin = AIOKafkaAdminClient(bootstrap_servers=brokers)
    await admin.start()
    await admin.create_topics([NewTopic(topic, partitions, 1)])
    await admin.close()


def check(condition, what):
    if not condition:
        raise AssertionError(what)


async def until(condition, what):
    async with asyncio.timeout(WAIT_S):
        while not condition():
            await asyncio.sleep(0.05)
    check(condition(), what)


async def read(topic, group, count, **options):
    consumer = AIOKafkaConsumer(
        topic, bootstrap_servers=brokers, group_id=group, auto_offset_reset="earliest", **options
    )
    await consumer.start()
    records = []
    async with asyncio.timeout(WAIT_S):
        while len(records) < count:
            records.append(await consumer.getone())
    await consumer.stop()
    return records


async def codec(name):
    topic = f"aiokafka-{name}"
    await create(topic, 3)
    producer = AIOKafkaProducer(
        bootstrap_servers=brokers,
        compression_type=None if name == "none" else name,
        acks="all",
        enable_idempotence=True,
        linger_ms=5,
    )
    await producer.start()
    sent = {f"key {n}".encode(): f"value {n} ".encode() * (n % 9 + 1) for n in range(RECORDS)}
    for key, value in sent.items():
        await producer.send(topic, key=key, value=value, headers=[("codec", name.encode())])
    await producer.flush()
    await producer.stop()
    got = await read(topic, f"{topic}-group", RECORDS)
    check({record.key: record.value for record in got} == sent, "other records came back")
    check(all(list(record.headers) == [("codec", name.encode())] for record in got), "other headers came back")
    print(f"{RECORDS} records, identical")


class Member:
    def __init__(self, topic):
        self.consumer = AIOKafkaConsumer(
            topic, bootstrap_servers=brokers, group_id=topic, session_timeout_ms=10000, heartbeat_interval_ms=500
        )

    @property
    def owned(self):
        return {part.partition for part in self.consumer.assignment()}

    async def join(self):
        await self.consumer.start()
        self.reading = asyncio.create_task(self.read())

    async def read(self):
        while True:
            await self.consumer.getmany(timeout_ms=200)

    async def leave(self):
        self.reading.cancel()
        await self.consumer.stop()


async def rebalance():
    topic = "aiokafka-rebalance"
    await create(topic, 4)
    first, second = Member(topic), Member(topic)
    await first.join()
    await until(lambda: len(first.owned) == 4, "the first member to own all")
    await second.join()
    await until(lambda: len(first.owned) == 2 and len(second.owned) == 2, "two partitions each")
    check(not first.owned & second.owned, "both own one")
    await second.leave()
    await until(lambda: len(first.owned) == 4, "the first member to own all again")
    await first.leave()
    print("4, then 2 and 2, then 4")


async def transactions():
    topic, group = "aiokafka-transactions", "aiokafka-transactions-input"
    await create(topic, 1)
    producer = AIOKafkaProducer(bootstrap_servers=brokers, transactional_id="aiokafka")
    await producer.start()
    part = TopicPartition(topic, 0)
    for number, outcome in enumerate(["commit", "abort", "commit", "abort"]):
        await producer.begin_transaction()
        await producer.send_and_wait(topic, f"{outcome} {number}".encode())
        await producer.send_offsets_to_transaction({part: number + 1}, group)
        if outcome == "commit":
            await producer.commit_transaction()
        else:
            await producer.abort_transaction()
    await producer.stop()
    got = [record.value for record in await read(topic, f"{topic}-reader", 2, isolation_level="read_committed")]
    check(got == [b"commit 0", b"commit 2"], f"read {got}")
    admin = AIOKafkaAdminClient(bootstrap_servers=brokers)
    await admin.start()
    committed = (await admin.list_consumer_group_offsets(group))[part].offset
    check(committed == 3, f"offset {committed} is committed")
    await admin.close()
    print("two committed seen, two aborted not; offset of the last commit")


async def admin():
    topic, group = "aiokafka-admin", "aiokafka-admin"
    client = AIOKafkaAdminClient(bootstrap_servers=brokers)
    await client.start()
    await client.create_topics([NewTopic(topic, 2, 1, topic_configs={"retention.ms": "3600000"})])
    check(await retention(client, topic) == "3600000", "not as created")
    resource = ConfigResource(ConfigResourceType.TOPIC, topic, {"retention.ms": "7200000"})
    await client.alter_configs([resource])
    check(await retention(client, topic) == "7200000", "not altered")
    await client.create_partitions({topic: NewPartitions(3)})
    described = await client.describe_topics([topic])
    check(len(described[0]["partitions"]) == 3, described)
    producer = AIOKafkaProducer(bootstrap_servers=brokers)
    await producer.start()
    for number in range(10):
        await producer.send_and_wait(topic, b"%d" % number, partition=0)
    await producer.stop()
    await read(topic, group, 10)
    groups = [name for name, _ in await client.list_consumer_groups()]
    check(group in groups, groups)
    state = (await client.describe_consumer_groups([group]))[0].groups[0][2]
    check(state == "Empty", state)
    part = TopicPartition(topic, 0)
    check((await client.list_consumer_group_offsets(group))[part].offset == 10, "other offset")
    await client.delete_records({part: RecordsToDelete(before_offset=4)})
    await client.delete_topics([topic])
    check(topic not in await client.list_topics(), "the topic is still there")
    await client.close()
    print("topics, configs, partitions, records, groups")


async def retention(client, topic):
    [answer] = await client.describe_configs([ConfigResource(ConfigResourceType.TOPIC, topic)])
    return next(entry[1] for entry in answer.resources[0][4] if entry[0] == "retention.ms")


asyncio.run({"codec": codec, "rebalance": rebalance, "transactions": transactions, "admin": admin}[scenario](*args))
