/**
 * What a writer counts its attempts by: `attemptsPerStart * starts + attempt`, so that a later start always supersedes
 * an earlier one (format §7.1). A profile of such a step has fewer attempts than this, or the start would fence its own
 * successor.
 */
export const attemptsPerStart = 128
