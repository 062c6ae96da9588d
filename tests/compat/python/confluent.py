"""confluent-kafka against a running node: confluent.py HOST:PORT."""
import sys
import time

from confluent_kafka import Consumer, ConsumerGroupTopicPartitions, KafkaError, KafkaException, OFFSET_BEGINNING, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, AlterConfigOpType, ConfigEntry, ConfigResource, NewPartitions, NewTopic, OffsetSpec, ResourceType

from cases import case, eventually, same

BOOTSTRAP = sys.argv[1]
ADMIN = AdminClient({'bootstrap.servers': BOOTSTRAP})


def result(futures):
    """The only result of an admin call."""
    return next(iter(futures.values())).result(20)


def create(name, partitions=1, **config):
    result(ADMIN.create_topics([NewTopic(name, partitions, 1, config={k.replace('_', '.'): v for k, v in config.items()})]))


def fill(topic, values, partition=0, **config):
    failures = []
    producer = Producer({'bootstrap.servers': BOOTSTRAP, 'enable.idempotence': True, 'linger.ms': 5} | config)
    for value in values:
        producer.produce(topic, value=value, key=f'k{value}', partition=partition, on_delivery=lambda error, _: error and failures.append(error))
        producer.poll(0)
    producer.flush(20)
    same([], failures)


def consumer(group, **config):
    return Consumer({'bootstrap.servers': BOOTSTRAP, 'group.id': group, 'auto.offset.reset': 'earliest', 'enable.auto.commit': False} | config)


def read_all(topic, count, partition=0, offset=OFFSET_BEGINNING):
    reader, found = consumer('reader'), []
    reader.assign([TopicPartition(topic, partition, offset)])
    end = time.monotonic() + 20
    while len(found) < count and time.monotonic() < end:
        found += [m for m in reader.consume(500, 0.1) if not m.error()]
    reader.close()
    return found


def takes_codec(codec):
    create(f'c-{codec}')
    values = [f'value {i}' for i in range(2000)]
    fill(f'c-{codec}', values, **{'compression.type': codec})
    found = read_all(f'c-{codec}', 2000)
    same(values, [m.value().decode() for m in found])
    same(list(range(2000)), [m.offset() for m in found])


def keeps_headers():
    create('headers')
    producer = Producer({'bootstrap.servers': BOOTSTRAP})
    producer.produce('headers', key=None, value=None, headers=[('a', b'1'), ('none', None)], timestamp=12345)
    producer.flush(10)
    message = read_all('headers', 1)[0]
    same([('a', b'1'), ('none', None)], message.headers())
    same((None, None, 12345), (message.key(), message.value(), message.timestamp()[1]))


def refuses_large():
    create('little', max_message_bytes='1000')
    errors = []
    producer = Producer({'bootstrap.servers': BOOTSTRAP})
    producer.produce('little', 'x' * 3000, on_delivery=lambda error, _: errors.append(error.code()))
    producer.flush(10)
    same([KafkaError.MSG_SIZE_TOO_LARGE], errors)


def rebalances(strategy):
    topic, group = f's-{strategy}', f'sg-{strategy}'
    create(topic, 4)
    for p in range(4):
        fill(topic, [f'{p}-{i}' for i in range(20)], p)
    members, seen = [], []

    def poll():
        for member in members:
            message = member.poll(0.02)
            if message and not message.error():
                seen.append(message.value())
                member.commit(message, asynchronous=False)

    def until(holds, what):
        eventually(lambda: (poll(), holds())[1], what)

    def join():
        members.append(consumer(group, **{'partition.assignment.strategy': strategy}))
        members[-1].subscribe([topic])

    join()
    until(lambda: len(members[0].assignment()) == 4 and len(seen) == 80, 'one member reads all')
    join()
    until(lambda: [len(m.assignment()) for m in members] == [2, 2], 'two members share')
    for p in range(4):
        fill(topic, [f'{p}-{i}' for i in range(20, 30)], p)
    until(lambda: len(seen) == 120, 'both read')
    members.pop(0).close()
    until(lambda: len(members[0].assignment()) == 4, 'the other inherits')
    for p in range(4):
        fill(topic, [f'{p}-{i}' for i in range(30, 35)], p)
    until(lambda: len(seen) >= 140, 'the other reads all')
    members[0].close()
    same((140, 140), (len(seen), len(set(seen))))


def finds_times():
    create('times')
    producer = Producer({'bootstrap.servers': BOOTSTRAP})
    for t in (1000, 2000, 9000):
        producer.produce('times', 'x', timestamp=t)
    producer.flush(10)
    reader = consumer('times')
    same(2, reader.offsets_for_times([TopicPartition('times', 0, 2001)], 10)[0].offset)
    same((0, 3), reader.get_watermark_offsets(TopicPartition('times', 0), 10))
    reader.close()
    same(2, result(ADMIN.list_offsets({TopicPartition('times', 0): OffsetSpec.max_timestamp()})).offset)


def manages_topics():
    create('adm', 2, retention_ms='5000')
    same(2, len(ADMIN.list_topics('adm', 10).topics['adm'].partitions))
    result(ADMIN.create_partitions([NewPartitions('adm', 3)]))
    eventually(lambda: len(ADMIN.list_topics('adm', 10).topics['adm'].partitions) == 3, 'three partitions')
    resource = ConfigResource(ResourceType.TOPIC, 'adm', incremental_configs=[
        ConfigEntry('retention.ms', '6000', incremental_operation=AlterConfigOpType.SET)])
    result(ADMIN.incremental_alter_configs([resource]))
    wanted = ConfigResource(ResourceType.TOPIC, 'adm')
    eventually(lambda: result(ADMIN.describe_configs([wanted]))['retention.ms'].value == '6000', 'the configuration')
    result(ADMIN.delete_topics(['adm']))
    eventually(lambda: 'adm' not in ADMIN.list_topics(timeout=10).topics, 'the topic is gone')
    create('twice')
    try:
        create('twice')
        raise AssertionError('created twice')
    except KafkaException as e:
        same(KafkaError.TOPIC_ALREADY_EXISTS, e.args[0].code())


def manages_groups():
    create('mg')
    fill('mg', [str(i) for i in range(10)])
    reader = consumer('managed')
    reader.subscribe(['mg'])
    eventually(lambda: (reader.poll(0.1), len(reader.assignment()))[1] == 1, 'an assignment')
    reader.commit(offsets=[TopicPartition('mg', 0, 6)], asynchronous=False)
    group = result(ADMIN.describe_consumer_groups(['managed']))
    same(('STABLE', 1), (group.state.name, len(group.members)))
    reader.close()
    assert any(g.group_id == 'managed' for g in ADMIN.list_consumer_groups().result(10).valid)
    offsets = result(ADMIN.list_consumer_group_offsets([ConsumerGroupTopicPartitions('managed')]))
    same(6, offsets.topic_partitions[0].offset)
    result(ADMIN.alter_consumer_group_offsets([ConsumerGroupTopicPartitions('managed', [TopicPartition('mg', 0, 2)])]))
    reader = consumer('managed')
    same(2, reader.committed([TopicPartition('mg', 0)], 10)[0].offset)
    reader.close()
    result(ADMIN.delete_consumer_groups(['managed']))
    assert not any(g.group_id == 'managed' for g in ADMIN.list_consumer_groups().result(10).valid)


def deletes_records():
    create('dr')
    fill('dr', [str(i) for i in range(10)])
    same(4, result(ADMIN.delete_records([TopicPartition('dr', 0, 4)])).low_watermark)
    same(b'4', read_all('dr', 6)[0].value())


def describes_cluster():
    cluster = ADMIN.describe_cluster().result(10)
    same((22, 1), (len(cluster.cluster_id), len(cluster.nodes)))


for name in ('none', 'gzip', 'snappy', 'lz4', 'zstd'):
    case(f'confluent-kafka: takes {name}', takes_codec, name)
case('confluent-kafka: keeps headers, timestamps and absent values', keeps_headers)
case('confluent-kafka: refuses a record over the limit', refuses_large)
for name in ('range', 'cooperative-sticky'):
    case(f'confluent-kafka: rebalances with {name}', rebalances, name)
case('confluent-kafka: finds offsets by time', finds_times)
case('confluent-kafka: manages topics', manages_topics)
case('confluent-kafka: manages groups', manages_groups)
case('confluent-kafka: deletes records', deletes_records)
case('confluent-kafka: describes the cluster', describes_cluster)
