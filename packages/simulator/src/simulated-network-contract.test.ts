// The simulated network is one: what it does without faults is what gRPC does.
import type { MessageNetwork } from '@naru/base'
import { messageNetworkContract } from '../../base/src/message-network.contract.ts'
import { streamCodecs } from '../../rpc/src/stream-codecs.ts'
import { SeededRandom } from './seeded-random.ts'
import { SimulatedClock } from './simulated-clock.ts'
import { SimulatedNetwork } from './simulated-network.ts'

const codecs = streamCodecs()

messageNetworkContract(() => {
  const clock = new SimulatedClock()
  // The suite sends a few hundred messages at once without waiting.
  const hosts = new SimulatedNetwork(clock, new SeededRandom(1), { codecs, overrunMax: 1_000 })
  const { network: port } = hosts.start('a')
  const network: MessageNetwork = {
    open: (address, service) => port.open(address, service),
    async listen(address, accept) {
      const server = await port.listen(address, accept)
      // It takes virtual time, which passes only when somebody makes it.
      return { address: server.address, close: () => clock.drive(server.close()) }
    },
  }
  let next = 1
  return {
    network,
    address: () => ({ host: 'a', port: next++ }),
    nobody: () => ({ host: 'a', port: 9 }),
    until: async (condition) => {
      for (let step = 0; !condition(); step++) {
        if (step > 20_000) throw new Error('It did not come to that')
        await clock.step()
      }
    },
  }
})
