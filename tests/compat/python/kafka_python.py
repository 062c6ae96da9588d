"""kafka-python against a running node: kafka_python.py HOST:PORT."""
import sys

from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer, TopicPartition
from kafka.admin import NewTopic
from kafka.structs import OffsetAndMetadata

from cases import case, eventually, same

BOOTSTRAP = sys.argv[1]
ADMIN = KafkaAdminClient(bootstrap_servers=BOOTSTRAP)


def create(name, partitions=1):
    ADMIN.create_topics([NewTopic(name, partitions, 1)])


def fill(topic, values, partition=0, **config):
    producer = KafkaProducer(bootstrap_servers=BOOTSTRAP, **config)
    sent = [producer.send(topic, value=str(v).encode(), key=b'k', headers=[('h', b'1')], partition=partition) for v in values]
    producer.flush(20)
    offsets = [future.get(20).offset for future in sent]
    producer.close()
    return offsets


def takes_codec(codec):
    topic = f'kp-{codec}'
    create(topic)
    same(list(range(500)), fill(topic, range(500), compression_type=codec, acks='all'))
    reader = KafkaConsumer(topic, bootstrap_servers=BOOTSTRAP, auto_offset_reset='earliest', group_id=None, consumer_timeout_ms=10000)
    found = [next(reader) for _ in range(500)]
    reader.close()
    same([str(i).encode() for i in range(500)], [m.value for m in found])
    same((b'k', [('h', b'1')]), (found[0].key, [tuple(h) for h in found[0].headers]))


def resumes_in_a_group():
    create('kp-group', 2)
    for p in range(2):
        fill('kp-group', range(10), p)

    def open_group():
        return KafkaConsumer('kp-group', bootstrap_servers=BOOTSTRAP, auto_offset_reset='earliest', group_id='kp', enable_auto_commit=False)

    seen = []

    # Long enough for a join: kafka-python 3.0.12 loses an assignment that comes between two calls of poll, and reads nothing then.
    def read(reader):
        for records in reader.poll(10000).values():
            seen.extend((m.partition, m.value) for m in records)

    reader = open_group()
    eventually(lambda: (read(reader), len(seen))[1] == 20, 'twenty records')
    reader.commit()
    reader.close()
    fill('kp-group', ['new'])
    reader = open_group()
    eventually(lambda: (read(reader), len(seen))[1] >= 21, 'the new record')
    same((0, b'new'), seen[-1])
    reader.commit({TopicPartition('kp-group', 0): OffsetAndMetadata(5, 'note', -1)})
    same(5, reader.committed(TopicPartition('kp-group', 0)))
    reader.close()


def finds_offsets():
    create('kp-offsets')
    fill('kp-offsets', range(7))
    partition = TopicPartition('kp-offsets', 0)
    reader = KafkaConsumer(bootstrap_servers=BOOTSTRAP)
    same({partition: 7}, reader.end_offsets([partition]))
    same({partition: 0}, reader.beginning_offsets([partition]))
    same(0, reader.offsets_for_times({partition: 1})[partition].offset)
    reader.close()


def manages_topics():
    create('kp-made', 3)
    assert 'kp-made' in ADMIN.list_topics()
    same(3, len(ADMIN.describe_topics(['kp-made'])[0]['partitions']))
    ADMIN.delete_topics(['kp-made'])
    eventually(lambda: 'kp-made' not in ADMIN.list_topics(), 'the topic is gone')


# The codecs that need no package beside it.
for name in (None, 'gzip'):
    case(f'kafka-python: takes {name or "none"}', takes_codec, name)
case('kafka-python: reads and resumes in a group', resumes_in_a_group)
case('kafka-python: finds offsets', finds_offsets)
case('kafka-python: manages topics', manages_topics)
