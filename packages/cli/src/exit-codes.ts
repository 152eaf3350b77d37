/** What a command ends with. */
export const exitCodes = {
  ok: 0,
  failed: 1,
  usage: 2,
  unreachable: 3,
  timedOut: 4,
  refused: 5,
  unhealthy: 10,
  interrupted: 130,
} as const

/** For people, in the help. */
export const exitCodesText = `Exit codes:
  0    done; also Ctrl-C where a command runs until it is stopped
  1    the operation failed, or failed for a part of what was asked
  2    the command line cannot be understood; nothing was sent
  3    the cluster could not be reached
  4    no answer in time
  5    not confirmed (--yes), nothing was done
  10   asked successfully, and the cluster is not healthy
  130  interrupted before it was done`
