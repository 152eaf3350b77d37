/** Random times, so that few elections are contested (Raft §5.2). */
import type { Random } from '@naru/base'

/** From which a follower that hears nothing campaigns: uniform in [base, 2 base). */
export function electionTimeoutMs(random: Random, baseMs: number): number {
  return baseMs + (random.uint32() % baseMs)
}

/** After which a pre-vote that came to nothing is tried again: it disturbs nobody, so it may be short. */
export function preVoteTimeoutMs(random: Random, baseMs: number): number {
  return electionTimeoutMs(random, Math.max(1, Math.floor(baseMs / 4)))
}

/** A step for each place among the voters, so that those who saw the same leader die do not campaign together. */
export function rankDelayMs(random: Random, rank: number): number {
  return rank * 15 + (random.uint32() % 10)
}
