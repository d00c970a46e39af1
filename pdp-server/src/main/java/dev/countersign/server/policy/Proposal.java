package dev.countersign.server.policy;

import dev.countersign.rules.facts.Sha256;
import dev.countersign.rules.facts.Worded;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * A change that another person has to confirm, as it stands in the table.
 *
 * @param id its id
 * @param tenant whose judging it changes; {@code null} for everybody's
 * @param kind what it changes
 * @param name which one
 * @param change what it does, as JSON
 * @param baseVersion the version that it changes, 0 for none
 * @param diff what it lets through and what it stops, as JSON
 * @param author who proposed it
 * @param state what became of it
 * @param decided who decided that; {@code null} while nobody has
 * @param note why, in their words; {@code null} if they gave none
 */
public record Proposal(
        UUID id,
        @Nullable String tenant,
        Kind kind,
        String name,
        String change,
        long baseVersion,
        String diff,
        Author author,
        State state,
        @Nullable Author decided,
        @Nullable String note) {
    private static final int TAG = 32;

    /** What a change changes. */
    public enum Kind implements Worded {
        /** A value that a tenant sets. */
        SETTING,
        /** A row of the table {@code policies}. */
        POLICY,
        /** A pack of rules. */
        PACK,
        /** An entry of the registry of actions. */
        ACTION;
    }

    /** What becomes of a proposal. */
    public enum State implements Worded {
        /** Nobody has decided it. */
        PROPOSED,
        /** Another person confirmed it, and it was made. */
        CONFIRMED,
        /** Another person refused it. */
        REJECTED,
        /** Who proposed it took it back. */
        WITHDRAWN,
        /** What it changes was changed otherwise meanwhile. */
        OUTDATED;
    }

    /** A word that changes whenever what it says of itself does: its state or its diff. */
    public String tag() {
        return Sha256.hex(state.word() + " " + diff).substring(0, TAG);
    }

    /** Whether {@code other} may confirm it: of a tenant, another person; of the operator, another key. */
    public boolean confirmableBy(Author other) {
        return tenant == null
                ? !other.key().equals(author.key())
                : other.person() != null && !other.person().equals(author.person());
    }

    /** Whether {@code other} is who proposed it. */
    public boolean by(Author other) {
        return other.key().equals(author.key())
                || other.person() != null && other.person().equals(author.person());
    }
}
