import { type Clock, type MessageNetwork, TransportError } from '@naru/base'

/** For a quorum of one without an internal listener: nobody is reached, and nobody comes. */
export function noNetwork(clock: Clock): MessageNetwork {
  return {
    listen: () =>
      Promise.reject(new TransportError('EOPNOTSUPP', 'This broker has no internal listener')),
    open: () => ({
      handle: ({ close }) => clock.afterTurn(() => close('lost')),
      send: () => true,
      end() {},
      reset() {},
    }),
  }
}
