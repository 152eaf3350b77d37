import { expect, it } from 'vitest'
import { ledElsewhere } from './preferred-leaders.ts'
import { TestCluster } from './testing/cluster.ts'

it('names partitions that another leads than their first replica, once that one could', () => {
  const cluster = new TestCluster(1, 2, 3)
  const named = () => [...ledElsewhere(cluster.image)].map(({ partition }) => partition)
  cluster.topic([1, 2, 3])
  expect(named()).toEqual([])
  cluster.fence(1)
  expect(named()).toEqual([])
  cluster.unfence(1)
  // It has to come up with the others first.
  expect(named()).toEqual([])
  cluster.propose([2, 3, 1])
  expect(named()).toEqual([0])
})
