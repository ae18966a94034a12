/** How far a segment can be trusted: measured by the meter, estimated by a rule, or edited by a person. */
export const qualities = ['measured', 'estimated', 'edited'] as const
export type Quality = (typeof qualities)[number]
