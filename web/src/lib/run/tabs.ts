/** Tabs of the step panel; each is part of the address. */
export const panelTabs = ['step', 'attempts', 'input', 'events'] as const
export type PanelTab = (typeof panelTabs)[number]
