/**
 * Deliberate mistakes: each removes one rule of the specification, and a checker that does not report a loss for it
 * proves nothing. The first eleven are those of §10.3; the others belong to the rules added with the port (§10.4).
 */
export const mutants = {
  no_w2: { section: '§7.2 W2', removes: 'commit checks that each chunk has a usable home' },
  no_g3: { section: '§9.1 G3b', removes: 'the collector reads the roots again after it has condemned' },
  commit_after_check: { section: '§7.2 W1', removes: 'the manifest is published before the check' },
  only_ok_roots: { section: '§3.3', removes: 'a manifest that is not validated is a root' },
  late_base: { section: '§7.2 S0', removes: 'the stamp is read before the first upload' },
  no_floor: { section: '§8.2', removes: 'knowledge is stale when floor > stamp + 1' },
  retire_before_delete: { section: '§9.6', removes: 'a record is retired only when its packs are gone' },
  head_no_dead: { section: '§8.2', removes: 'a HEAD counts only for packs outside the dead set' },
  inherit_blind: { section: '§7.5', removes: 'the parent is seen live after W1' },
  no_epoch_rule: { section: '§9.1 G3a', removes: 'a run stops for another record of its own epoch or later' },
  no_floor_stop: { section: '§9.1 G3a', removes: 'a run stops for a floor above its epoch' },

  records_before_floor: { section: '§9.6', removes: 'the floor is published before the records are deleted' },
  undated_listing: { section: '§9.1 G0', removes: 'what is listed counts as a home only outside the dead set' },
  held_parent_eligible: { section: '§7.5', removes: 'a hold does not make a tombstoned parent eligible' },
  parent_ok_before_t: { section: '§7.5', removes: 'HEAD .t precedes HEAD .ok' },
  hold_not_rechecked: { section: '§11.2', removes: 'the placer looks for .t again after its PUT' },
  hold_looks_only_for_t: { section: '§11.2', removes: 'the placer sees .ok after it saw no .t' },
  collector_ignores_holds: { section: '§9.2', removes: 'a tombstone does not count while a hold exists' },
  collector_lists_hold_first: { section: '§9.1 G3b', removes: 'snap/ is listed before hold/' },
  removal_ignores_holds: { section: '§11.3', removes: 'held snapshots are not removed' },
  removal_lists_hold_first: { section: '§11.2', removes: 'who removes lists snap/ before hold/' },
  removal_t_first: { section: '§11.3', removes: '.ok goes before .m, and .t at last' },
  cleaner_no_check: { section: '§11.4', removes: 'the cleaner looks for .ok after it published .a' },
  success_unlisted: { section: '§7.2 W3', removes: 'the writer lists its stem after .ok, before it reports' },
  success_without_m: { section: '§7.2 W3', removes: 'that list must show the own .m and .ok as well' },
  skipped_counts_as_seen: { section: '§9.2', removes: 'a root with skipped blobs is read again at G3b' },
  pending_not_marked: { section: '§9.2, 3', removes: 'a home in an abandoned set is marked there' },
  pending_marked_once: { section: '§9.2, 3', removes: 'every home in a pending set is marked, not one of them' },
} as const satisfies Record<string, { section: string; removes: string }>

export type Mutant = keyof typeof mutants
export const mutantNames = Object.keys(mutants) as Mutant[]
