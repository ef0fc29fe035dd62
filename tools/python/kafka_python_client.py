"""kafka-python against a broker: python kafka_python_client.py BROKERS SCENARIO. Prints a note; any failure is an exception."""

import sys
import threading
import time

from kafka import KafkaConsumer, KafkaProducer, TopicPartition
from kafka.admin import ConfigResource, ConfigResourceType, KafkaAdminClient
from kafka.structs import OffsetAndMetadata

RECORDS = 2000
WAIT_S = 60
brokers, scenario, *args = sys.argv[1:]


def create(topic, partitions):
    admin = KafkaAdminClient(bootstrap_servers=brokers)
    admin.create_topics({topic: {"num_partitions": partitions}}, wait_for_metadata=True)
    admin.close()


def check(condition, what):
    if not condition:
        raise AssertionError(what)


def until(condition, what):
    deadline = time.monotonic() + WAIT_S
    while not condition():
        check(time.monotonic() < deadline, f"waited {WAIT_S} s for {what}")
        time.sleep(0.05)


def read(topic, group, count, **options):
    consumer = KafkaConsumer(
        topic,
        bootstrap_servers=brokers,
        group_id=group,
        auto_offset_reset="earliest",
        consumer_timeout_ms=WAIT_S * 1000,
        **options,
    )
    records = []
    for record in consumer:
        records.append(record)
        if len(records) == count:
            break
    consumer.close()
    return records


def codec(name):
    topic = f"kafka-python-{name}"
    create(topic, 3)
    producer = KafkaProducer(
        bootstrap_servers=brokers, compression_type=None if name == "none" else name, acks="all", linger_ms=5
    )
    sent = {f"key {n}".encode(): f"value {n} ".encode() * (n % 9 + 1) for n in range(RECORDS)}
    for key, value in sent.items():
        producer.send(topic, key=key, value=value, headers=[("codec", name.encode())])
    producer.flush()
    producer.close()
    got = read(topic, f"{topic}-group", RECORDS)
    check({record.key: record.value for record in got} == sent, "other records came back")
    check(all(list(record.headers) == [("codec", name.encode())] for record in got), "other headers came back")
    print(f"{RECORDS} records, identical")


class Member(threading.Thread):
    def __init__(self, topic):
        super().__init__(daemon=True)
        self.consumer = KafkaConsumer(
            topic, bootstrap_servers=brokers, group_id=topic, session_timeout_ms=10000, heartbeat_interval_ms=500
        )
        self.owned = set()
        self.left = threading.Event()
        self.start()

    def run(self):
        while not self.left.is_set():
            self.consumer.poll(timeout_ms=200)
            self.owned = {part.partition for part in self.consumer.assignment()}
        self.consumer.close()

    def leave(self):
        self.left.set()
        self.join()


def rebalance():
    topic = "kafka-python-rebalance"
    create(topic, 4)
    first = Member(topic)
    until(lambda: len(first.owned) == 4, "the first member to own all")
    second = Member(topic)
    until(lambda: len(first.owned) == 2 and len(second.owned) == 2, "two partitions each")
    check(not first.owned & second.owned, "both own one")
    second.leave()
    until(lambda: len(first.owned) == 4, "the first member to own all again")
    first.leave()
    print("4, then 2 and 2, then 4")


def transactions():
    topic, group = "kafka-python-transactions", "kafka-python-transactions-input"
    create(topic, 1)
    producer = KafkaProducer(bootstrap_servers=brokers, transactional_id="kafka-python")
    producer.init_transactions()
    part = TopicPartition(topic, 0)
    for number, outcome in enumerate(["commit", "abort", "commit", "abort"]):
        producer.begin_transaction()
        producer.send(topic, value=f"{outcome} {number}".encode())
        producer.send_offsets_to_transaction({part: OffsetAndMetadata(number + 1, "", -1)}, group)
        if outcome == "commit":
            producer.commit_transaction()
        else:
            producer.abort_transaction()
    producer.close()
    got = [record.value for record in read(topic, f"{topic}-reader", 2, isolation_level="read_committed")]
    check(got == [b"commit 0", b"commit 2"], f"read {got}")
    admin = KafkaAdminClient(bootstrap_servers=brokers)
    committed = admin.list_group_offsets(group)[group][part].offset
    check(committed == 3, f"offset {committed} is committed")
    admin.close()
    print("two committed seen, two aborted not; offset of the last commit")


def admin():
    topic = "kafka-python-admin"
    client = KafkaAdminClient(bootstrap_servers=brokers)
    client.create_topics({topic: {"num_partitions": 2, "configs": {"retention.ms": "3600000"}}}, wait_for_metadata=True)
    resource = ConfigResource(ConfigResourceType.TOPIC, topic)
    described = client.describe_configs([resource])
    check(value_of(described, topic, "retention.ms") == "3600000", described)
    client.alter_configs([ConfigResource(ConfigResourceType.TOPIC, topic, {"retention.ms": "7200000"})])
    check(value_of(client.describe_configs([resource]), topic, "retention.ms") == "7200000", "not altered")
    client.create_partitions({topic: 3})
    until(lambda: len(client.describe_topics([topic])[0]["partitions"]) == 3, "three partitions")
    producer = KafkaProducer(bootstrap_servers=brokers)
    for number in range(10):
        producer.send(topic, value=b"%d" % number, partition=0)
    producer.flush()
    producer.close()
    read(topic, "kafka-python-admin", 10)
    groups = [group["group_id"] for group in client.list_groups()]
    check("kafka-python-admin" in groups, groups)
    state = client.describe_groups(["kafka-python-admin"])["kafka-python-admin"]["group_state"]
    check(state == "Empty", state)
    part = TopicPartition(topic, 0)
    check(client.list_group_offsets("kafka-python-admin")["kafka-python-admin"][part].offset == 10, "other offset")
    client.delete_records({part: 4})
    client.delete_groups(["kafka-python-admin"])
    client.delete_topics([topic])
    until(lambda: topic not in client.list_topics(), "the topic to go")
    client.close()
    print("topics, configs, partitions, records, groups")


def value_of(described, topic, key):
    return described["topic"][topic][key]["value"]


{"codec": codec, "rebalance": rebalance, "transactions": transactions, "admin": admin}[scenario](*args)
