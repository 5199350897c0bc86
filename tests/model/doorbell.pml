/*
 * Sleeping and doorbells of user/lib/ring/ring.c, for Spin: can a side sleep
 * for ever although it could move something? (An invalid end state.)
 *
 * Spin's memory is sequentially consistent, a hart's is not: so each side has
 * a store buffer here, whose entries reach memory at any time and in any
 * order; a fence waits until it is empty; a side's loads see its own stores.
 * That is weaker than RVWMO allows for these accesses, so what holds here
 * holds there. Ringing a bell empties the buffer first: the kernel's lock is
 * released and acquired on the way.
 *
 * Variants, each of which must fail (tests/test_doorbell_model.py):
 *   NO_SLEEPER_FENCE, NO_RINGER_FENCE  without one of the two fences
 *   LOOK_FIRST      look, then set the wake-me word
 *   CLEAR_AFTER     ring the bell, then clear the peer's wake-me word
 */
#define UNITS    5 /* to move in all */
#define CAPACITY 2

#define PRODUCER 0
#define CONSUMER 1

/* Memory. wake: 0 = awake, n = can use n units. */
byte index[2];
byte wake[2];
bit bell[2]; /* the notification: set by ringing, taken by the sleeper */

/* Store buffers: side s, its index; side s, wake of side k at 2 * s + k. */
bit index_pending[2];
byte index_value[2];
bit wake_pending[4];
byte wake_value[4];

#define STORE_INDEX(s, v)                                                     \
    d_step { index_value[s] = v; index_pending[s] = 1 }
#define STORE_WAKE(s, k, v)                                                   \
    d_step { wake_value[2 * (s) + (k)] = v; wake_pending[2 * (s) + (k)] = 1 }
#define LOAD_WAKE(s, k)                                                       \
    (wake_pending[2 * (s) + (k)] -> wake_value[2 * (s) + (k)] : wake[k])
#define EMPTY(s)                                                              \
    (!index_pending[s] && !wake_pending[2 * (s)] &&                           \
     !wake_pending[2 * (s) + 1])

#ifdef NO_SLEEPER_FENCE
#define SLEEPER_FENCE skip
#else
#define SLEEPER_FENCE EMPTY(me)
#endif
#ifdef NO_RINGER_FENCE
#define RINGER_FENCE skip
#else
#define RINGER_FENCE EMPTY(me)
#endif

active proctype memory()
{
    byte s;
end:
    do
    :: atomic { index_pending[0] -> index[0] = index_value[0];
                index_pending[0] = 0 }
    :: atomic { index_pending[1] -> index[1] = index_value[1];
                index_pending[1] = 0 }
    :: atomic { wake_pending[0] -> wake[0] = wake_value[0];
                wake_pending[0] = 0 }
    :: atomic { wake_pending[1] -> wake[1] = wake_value[1];
                wake_pending[1] = 0 }
    :: atomic { wake_pending[2] -> wake[0] = wake_value[2];
                wake_pending[2] = 0 }
    :: atomic { wake_pending[3] -> wake[1] = wake_value[3];
                wake_pending[3] = 0 }
    od
}

/* look(): the peer's index; units this side and the peer can move by it. */
#define LOOK peer = index[1 - me]
#define MINE                                                                  \
    (me == PRODUCER -> CAPACITY - (own - peer) : peer - own)
#define PEERS (CAPACITY - MINE)

proctype side(byte me)
{
    byte own, peer, want, n;
    bit nudged; /* one wake-up for no reason: a deadline, a shared bit */

    do
    :: own == UNITS -> break
    :: own < UNITS ->
        if
        :: MINE == 0 -> LOOK
        :: else
        fi;
        if
        :: MINE > 0 ->
            /* Move 1 or all of them; publish; ring_should_ring(). */
            n = 1;
            if
            :: n = MINE
            :: skip
            fi;
            if
            :: own + n > UNITS -> n = UNITS - own
            :: else
            fi;
            own = own + n;
            STORE_INDEX(me, own);
            RINGER_FENCE;
            want = LOAD_WAKE(me, 1 - me);
            if
            :: want == 0
            :: want > 0 && PEERS < want
            :: want > 0 && PEERS >= want ->
                LOOK;
                if
                :: PEERS < want
                :: else ->
#ifdef CLEAR_AFTER
                    EMPTY(me);
                    bell[1 - me] = 1;
                    STORE_WAKE(me, 1 - me, 0)
#else
                    STORE_WAKE(me, 1 - me, 0);
                    EMPTY(me);
                    bell[1 - me] = 1
#endif
                fi
            fi
        :: MINE == 0 ->
            /* ring_arm_wake(); a producer may ask for more than one. */
            want = 1;
            if
            :: me == PRODUCER && own + 2 <= UNITS -> want = 2
            :: skip
            fi;
#ifdef LOOK_FIRST
            LOOK;
            STORE_WAKE(me, me, want);
            SLEEPER_FENCE;
#else
            STORE_WAKE(me, me, want);
            SLEEPER_FENCE;
            LOOK;
#endif
            if
            :: MINE >= want
            :: else ->
                if
                :: atomic { bell[me] -> bell[me] = 0 }
                :: atomic { !nudged -> nudged = 1 }
                fi
            fi;
            STORE_WAKE(me, me, 0)
        fi;
    od
}

init
{
    atomic {
        run side(PRODUCER);
        run side(CONSUMER)
    }
}
