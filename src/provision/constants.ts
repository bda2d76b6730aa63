/** Times of the launch protocol. Every wait of this room has its number here. */

/** The longest a cloud call may take; a later answer is Unknown, never "failed". */
export const CALL_TIMEOUT_MS = 60_000;

/** From the intent until all machines of an attempt run, unless the spec says otherwise. */
export const ATTEMPT_TIMEOUT_SECONDS = 900;

/** From running until a machine answers on SSH, unless the spec says otherwise. */
export const SSH_TIMEOUT_SECONDS = 600;

/** Spacing of the two lists of a proof, against a fluke of one list; the commit window carries the proof. */
export const LIST_SPACING_MS = 2_000;

/** Floor of the wait before absence can be proved where lists lag: clouds under-declare their lag. */
export const EVENTUAL_WINDOW_FLOOR_MS = 60_000;

/** Token clouds forget tokens; near the end of their life a re-send could create a second machine. */
export const TOKEN_LIFE_SHARE = 0.8;

/** Pause between two terminate calls for one machine; a cloud that answered "accepted" may still need more of them. */
export const TERMINATE_AGAIN_MS = { base: 10_000, cap: 120_000 } as const;

/** Retries of a launch that was refused by a passing fault before it could create anything. */
export const TRANSIENT_TRIES = 3;

/** Shortest pause after everything that fits is excluded; the exclusions' own times usually make it longer. */
export const NOTHING_LEFT_MS = 30_000;

/** Pause between attempts to finish a deletion that the cloud refuses. */
export const DELETE_AGAIN_MS = 30_000;

/** Attempts per cluster and rolling hour that created machines: a loop that buys and loses machines is stopped here. */
export const CREATING_ATTEMPTS_PER_HOUR = 6;

/** A snapshot older than this many polls says nothing about now. */
export const SNAPSHOT_POLLS = 3;

/** An orphan is ended only when it is this old by the cloud's clock, so that no launch in flight is mistaken for one. */
export const ORPHAN_AGE_MS = 600_000;

/** Two sweeps that agree must lie this far apart. */
export const SWEEP_SPACING_MS = 60_000;
