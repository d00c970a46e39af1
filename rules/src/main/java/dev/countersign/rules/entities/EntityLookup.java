package dev.countersign.rules.entities;

import dev.countersign.rules.facts.Call;
import dev.countersign.rules.facts.EntityKey;
import dev.countersign.rules.facts.Found;
import dev.countersign.rules.facts.Reference;
import dev.countersign.rules.facts.SourcePath;
import dev.countersign.rules.facts.Stored;
import dev.countersign.rules.facts.Unavailable;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The entities that one call needs, asked for round by round: an entity may name the next one. Until it is done, fetch what
 * is {@link #missing} and give the {@link #answer}; at most {@value Reference#MAX_DEPTH} rounds and one follow one another.
 * Confined to one thread.
 */
public final class EntityLookup {
    /** What is known without asking. */
    @FunctionalInterface
    public interface AtHand {
        /** What the store says under a name; {@code null} if that has to be fetched. */
        @Nullable
        Found find(EntityKey key);
    }

    private final EntityNeeds needs;
    private final Call asked;
    private final AtHand atHand;
    private final Map<EntityKey, Found> answers = new HashMap<>();
    private Set<EntityKey> missing = Set.of();
    private Call call;

    EntityLookup(EntityNeeds needs, Call asked, AtHand atHand) {
        this.needs = needs;
        this.asked = asked;
        this.atHand = atHand;
        this.call = asked;
        advance();
    }

    /** Whether nothing is missing. */
    public boolean done() {
        return missing.isEmpty();
    }

    /** The names of the entities to fetch next; each can be one that the store holds. */
    public Set<EntityKey> missing() {
        return missing;
    }

    /** Goes on with what the store said; what is missing and not in {@code found} is unavailable. */
    public void answer(Map<EntityKey, Found> found) {
        missing.forEach(key -> answers.put(key, found.getOrDefault(key, Found.Nothing.UNAVAILABLE)));
        advance();
    }

    /** The call with what is known: once this is done, everything that it needs. */
    public Call call() {
        return call;
    }

    private void advance() {
        missing = new LinkedHashSet<>(2);
        Found subject = needs.subject(asked)
                ? find(new EntityKey(asked.subjectType(), asked.subjectId()))
                : Found.Nothing.UNAVAILABLE;
        Found resource = needs.resource(asked)
                ? find(new EntityKey(asked.resourceType(), asked.resourceId()))
                : Found.Nothing.UNAVAILABLE;
        Map<Reference, Found> references = needs.references().isEmpty() ? Map.of() : new HashMap<>();
        for (Reference reference : needs.references()) {
            SourcePath path = reference.id().source();
            boolean waits = path != null
                    && path.storable()
                    && switch (path.root()) {
                        case SUBJECT -> subject == null;
                        case RESOURCE -> resource == null;
                        default -> !references.containsKey(path.reference());
                    };
            if (!waits) {
                Object id = reference.id().read(with(subject, resource, references));
                Found found = id instanceof String text
                        ? find(new EntityKey(reference.type(), text))
                        : id == Unavailable.VALUE ? Found.Nothing.UNAVAILABLE : Found.Nothing.UNKNOWN;
                if (found != null) {
                    references.put(reference, found);
                }
            }
        }
        call = with(subject, resource, Map.copyOf(references));
    }

    private Call with(@Nullable Found subject, @Nullable Found resource, Map<Reference, Found> references) {
        return asked.with(new Stored(
                subject == null ? Found.Nothing.UNAVAILABLE : subject,
                resource == null ? Found.Nothing.UNAVAILABLE : resource,
                references));
    }

    private @Nullable Found find(EntityKey key) {
        if (!key.valid()) {
            return Found.Nothing.UNKNOWN;
        }
        Found known = answers.get(key);
        if (known == null) {
            known = atHand.find(key);
            if (known == null) {
                missing.add(key);
            } else {
                answers.put(key, known);
            }
        }
        return known;
    }
}
