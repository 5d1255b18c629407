import { randomInt } from 'node:crypto'

/** Returns a nickname for a learner who has not chosen one: `amber basalt`. */
export function newNickname(): string {
  return [COLOURS, ROCKS].map((words) => words[randomInt(words.length)]).join(' ')
}

const COLOURS = (
  'amber azure blue bronze copper coral crimson golden green grey indigo ivory jade lilac ' +
  'olive orange pearl pink purple red ruby scarlet silver teal violet white yellow'
).split(' ')

const ROCKS = (
  'agate andesite basalt chalk chert dolomite flint gabbro gneiss granite gypsum jasper lava ' +
  'limestone magma marble obsidian opal peridot pumice quartz sandstone schist shale slate topaz tuff'
).split(' ')
