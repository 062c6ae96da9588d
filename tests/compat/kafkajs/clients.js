// KafkaJS against a running node: clients.js HOST:PORT. A line a case, `ok` or `FAILED`.
const assert = require('node:assert');
const { Kafka, CompressionTypes, logLevel } = require('kafkajs');

const kafka = new Kafka({ clientId: 'cases', brokers: [process.argv[2]], logLevel: logLevel.NOTHING });
const admin = kafka.admin();
const sleep = ms => new Promise(resolve => setTimeout(resolve, ms));

async function is(name, test) {
  try {
    await test();
    console.log(`ok      ${name}`);
  } catch (e) {
    console.log(`FAILED  ${name}`);
    console.log(String(e.stack).split('\n').slice(0, 10).map(line => `        ${line}`).join('\n'));
  }
}

async function eventually(what, holds) {
  const end = Date.now() + 25000;
  while (!(await holds())) {
    assert(Date.now() < end, `not within 25 s: ${what}`);
    await sleep(50);
  }
}

const create = (topic, numPartitions = 1) => admin.createTopics({ topics: [{ topic, numPartitions }], waitForLeaders: true });

async function fill(topic, values, partition, options = {}) {
  const producer = kafka.producer(options.producer);
  await producer.connect();
  const messages = values.map(value => ({ key: 'k', value, partition, headers: { h: '1' } }));
  const answer = await producer.send({ topic, messages, acks: options.acks ?? -1, compression: options.compression });
  await producer.disconnect();
  return answer;
}

// A member of a group that pushes what it reads.
async function member(groupId, topic, seen) {
  const consumer = kafka.consumer({ groupId, heartbeatInterval: 500, sessionTimeout: 10000, maxWaitTimeInMs: 100 });
  await consumer.connect();
  await consumer.subscribe({ topics: [topic], fromBeginning: true });
  let assigned = 0;
  consumer.on(consumer.events.GROUP_JOIN, e => { assigned = (e.payload.memberAssignment[topic] || []).length; });
  await consumer.run({ eachMessage: async ({ partition, message }) => { seen.push(`${partition}-${message.value}`); } });
  return { assigned: () => assigned, leave: () => consumer.disconnect() };
}

async function readsBack(topic, values) {
  const seen = [];
  const reader = await member(`reader-${topic}`, topic, seen);
  await eventually('the records are read', () => seen.length >= values.length);
  await reader.leave();
  assert.deepStrictEqual(seen, values.map(value => `0-${value}`));
}

async function takesCodec(name, compression) {
  await create(name);
  const values = [...Array(300).keys()].map(String);
  const [answer] = await fill(name, values, 0, { compression });
  assert.strictEqual(answer.baseOffset, '0');
  await readsBack(name, values);
}

async function isIdempotent() {
  await create('js-once');
  await fill('js-once', ['a', 'b'], 0, { producer: { idempotent: true } });
  await readsBack('js-once', ['a', 'b']);
}

async function takesAcks(acks) {
  await create(`js-acks${acks}`);
  await fill(`js-acks${acks}`, ['a'], 0, { acks });
  await readsBack(`js-acks${acks}`, ['a']);
}

async function sharesAndInherits() {
  await create('js-shared', 2);
  const seen = [];
  for (const p of [0, 1]) await fill('js-shared', ['a', 'b'], p);
  const first = await member('js-pair', 'js-shared', seen);
  await eventually('one reads all', () => seen.length === 4);
  const second = await member('js-pair', 'js-shared', seen);
  await eventually('two share', () => first.assigned() === 1 && second.assigned() === 1);
  for (const p of [0, 1]) await fill('js-shared', ['c'], p);
  await eventually('both read', () => seen.length === 6);
  await first.leave();
  await eventually('the other inherits', () => second.assigned() === 2);
  for (const p of [0, 1]) await fill('js-shared', ['d'], p);
  await eventually('the other reads all', () => seen.length === 8);
  await second.leave();
  assert.strictEqual(new Set(seen).size, 8);
}

async function managesTopics() {
  await create('js-made', 2);
  assert((await admin.listTopics()).includes('js-made'));
  assert.strictEqual((await admin.fetchTopicMetadata({ topics: ['js-made'] })).topics[0].partitions.length, 2);
  await admin.createPartitions({ topicPartitions: [{ topic: 'js-made', count: 3 }] });
  await fill('js-made', ['x'], 0);
  const offsets = await admin.fetchTopicOffsets('js-made');
  assert.strictEqual(offsets.length, 3);
  assert.strictEqual(offsets.find(o => o.partition === 0).high, '1');
  const byTime = await admin.fetchTopicOffsetsByTimestamp('js-made', 1);
  assert.strictEqual(byTime.find(o => o.partition === 0).offset, '0');
  await admin.alterConfigs({ validateOnly: false, resources: [{ type: 2, name: 'js-made', configEntries: [{ name: 'retention.ms', value: '9000' }] }] });
  await eventually('the configuration', async () => {
    const found = await admin.describeConfigs({ includeSynonyms: false, resources: [{ type: 2, name: 'js-made', configNames: ['retention.ms'] }] });
    return found.resources[0].configEntries[0].configValue === '9000';
  });
  await admin.deleteTopics({ topics: ['js-made'] });
  await eventually('it is gone', async () => !(await admin.listTopics()).includes('js-made'));
}

async function managesGroups() {
  const described = await admin.describeGroups(['js-pair']);
  assert.strictEqual(described.groups[0].state, 'Empty');
  assert((await admin.listGroups()).groups.some(g => g.groupId === 'js-pair'));
  await admin.setOffsets({ groupId: 'js-pair', topic: 'js-shared', partitions: [{ partition: 0, offset: '1' }] });
  const [topic] = await admin.fetchOffsets({ groupId: 'js-pair', topics: ['js-shared'] });
  assert.strictEqual(topic.partitions.find(p => p.partition === 0).offset, '1');
  await admin.deleteGroups(['js-pair']);
  assert(!(await admin.listGroups()).groups.some(g => g.groupId === 'js-pair'));
}

async function describesCluster() {
  const cluster = await admin.describeCluster();
  assert.strictEqual(cluster.brokers.length, 1);
  assert.strictEqual(cluster.clusterId.length, 22);
}

async function main() {
  await admin.connect();
  await is('takes records as they are', () => takesCodec('js-none', CompressionTypes.None));
  await is('takes gzip', () => takesCodec('js-gzip', CompressionTypes.GZIP));
  await is('is idempotent', isIdempotent);
  for (const acks of [0, 1, -1]) await is(`takes acks=${acks}`, () => takesAcks(acks));
  await is('shares partitions and inherits them', sharesAndInherits);
  await is('manages topics', managesTopics);
  await is('manages groups', managesGroups);
  await is('describes the cluster', describesCluster);
  await admin.disconnect();
}

main().then(() => process.exit(0), e => { console.error(e); process.exit(1); });
