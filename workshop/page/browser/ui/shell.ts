import { shellOn } from '../../../../protocol/shell.ts'

/** The shell for which the page quotes commands. `platform` is deprecated, but its replacement exists only in Chromium. */
export const SHELL = shellOn(navigator.platform)
