package dev.countersign.server.identity;

import java.util.Arrays;
import java.util.Locale;
import java.util.Optional;

/** What a key may do. The operator's role is apart from all others: it manages tenants and sees none of their data. */
public enum Role {
    /** Manages tenants and global packs, reads metrics; holds no other role. */
    OPERATOR,
    /** Asks for decisions. */
    DECIDE,
    /** Sees access requests. */
    APPROVALS_READ,
    /** Reviews access requests, if the key is a person's. */
    APPROVALS_APPROVE,
    /** Approves alone in an emergency. */
    APPROVALS_BREAK_GLASS,
    /** Brings what persons decided elsewhere, signed by an issuer. Decides nothing itself. */
    APPROVALS_RELAY,
    /** Reads rules, data policies and settings. */
    POLICY_READ,
    /** Drafts rules and data policies, and changes settings. */
    POLICY_WRITE,
    /** Publishes rules and data policies. */
    POLICY_PUBLISH,
    /** Reads the decision log. */
    AUDIT_READ,
    /** Manages keys, settings and entities of the tenant, and reads its decision log. */
    ADMIN;

    /** The name in the database, the API and the documentation, such as {@code approvals.break_glass}. */
    public String word() {
        return name().toLowerCase(Locale.ROOT).replaceFirst("_", ".");
    }

    /** The role of that name. */
    public static Optional<Role> of(String word) {
        return Arrays.stream(values()).filter(role -> role.word().equals(word)).findFirst();
    }
}
