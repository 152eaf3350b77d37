/** Keys of a cluster of several brokers: who votes on the metadata, and where brokers and gRPC clients reach this one. */
import type { ConfigKey } from '@naru/model'

const int = { type: 'int', effect: 'works' } as const
const list = { type: 'list', effect: 'works' } as const

export const quorumKeys: readonly ConfigKey[] = [
  {
    name: 'process.roles',
    ...list,
    default: '',
    oneOf: ['broker', 'controller'],
    documentation:
      'Every node is a broker; `controller` says that it votes on the metadata too. Checked against `controller.quorum.voters`, which decides where this is empty. `controller` alone is refused.',
  },
  {
    name: 'controller.quorum.voters',
    ...list,
    default: '',
    documentation:
      'The brokers that found the cluster and vote on its metadata, as id@host:port of their internal listeners: the same on each of them. A broker that is not among them looks for the cluster there. A broker that has neither this nor `controller.quorum.bootstrap.servers` is a cluster of its own, a quorum of one, and needs no internal listener.',
  },
  {
    name: 'controller.quorum.bootstrap.servers',
    ...list,
    default: '',
    documentation:
      'Internal listeners, as host:port, where a broker looks for the cluster that it joins. Its own address does not count: alone it means a quorum of one.',
  },
  {
    name: 'controller.quorum.election.timeout.ms',
    ...int,
    default: '600',
    min: 100,
    documentation: 'Time without a word from the leader of the metadata after which voters elect.',
  },
  {
    name: 'controller.listener.names',
    ...list,
    default: '',
    documentation:
      'Names in `listeners` that are not for clients (CONTROLLER where it is empty). The first of them is the internal listener where `naru.internal.listeners` is empty and there are voters or bootstrap servers.',
  },
  {
    name: 'broker.session.timeout.ms',
    ...int,
    default: '2000',
    min: 1,
    documentation:
      'Time without a heartbeat after which a broker is fenced; at least twice `broker.heartbeat.interval.ms`.',
  },
  {
    name: 'broker.heartbeat.interval.ms',
    ...int,
    default: '200',
    min: 1,
    documentation: 'How often a broker tells the controller that it is alive.',
  },
  {
    name: 'naru.internal.listeners',
    ...list,
    default: '',
    documentation:
      "Where this broker listens for the other brokers: one host:port; an empty host means every address. Where it is empty: the listener of `controller.listener.names`, then this broker's own address among the voters, then localhost and the port 9291 + node.id; none for a broker without voters and bootstrap servers.",
  },
  {
    name: 'naru.internal.advertised.listeners',
    ...list,
    default: '',
    documentation:
      'Where the other brokers reach this one, as host:port; its own address among the voters where it is empty, else where it listens.',
  },
  {
    name: 'naru.peer.addresses',
    ...list,
    default: '',
    documentation:
      'Addresses, as id@host:port, at which this broker reaches others, whatever they advertise: for tests with proxies between brokers, and for special networks.',
  },
  {
    name: 'naru.grpc.listeners',
    ...list,
    default: '',
    documentation:
      'Where this broker listens for gRPC: one host:port; an empty host means every address. Off where it is empty.',
  },
  {
    name: 'naru.grpc.advertised.listeners',
    ...list,
    default: '',
    documentation:
      'Where gRPC clients are told to connect, as host:port; what `naru.grpc.listeners` says where it is empty. Clients of the Kafka port find it here.',
  },
]
