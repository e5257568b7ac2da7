/**
 * Figures for Prometheus under `/metrics`: read from the catalog when they are asked for, so that they say the same as the
 * dashboard, also with the engine away. Labels are bounded: ids of VMs, repositories, plans and channels, never of runs.
 */
export { largestVms, metricsRoute } from './route.ts'
