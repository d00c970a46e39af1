package dev.countersign.rules.entities;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.countersign.rules.dialect.Rule;
import dev.countersign.rules.facts.Attribute;
import dev.countersign.rules.facts.BuiltIn;
import dev.countersign.rules.facts.Call;
import dev.countersign.rules.facts.EntityKey;
import dev.countersign.rules.facts.Found;
import dev.countersign.rules.facts.Precedence;
import dev.countersign.rules.facts.Reference;
import dev.countersign.rules.facts.SourcePath;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;
import java.util.function.Predicate;

/**
 * Which stored entities a set of attributes may be read from: the subject's, the resource's, and those of references.
 * Immutable, and shared by all threads.
 */
public final class EntityNeeds {
    /** Of attributes that the store knows nothing of. */
    public static final EntityNeeds NONE = of(List.of());

    private final Set<Attribute> attributes = new LinkedHashSet<>();
    private final Set<Reference> references = new LinkedHashSet<>();
    private final Side subject;
    private final Side resource;

    /**
     * When the entity of the subject, or of the resource, is needed.
     *
     * @param always whatever the call is
     * @param ofAgents where the subject is an agent: for its owner, who is then the user
     * @param otherwise where the caller leaves out one of these
     */
    private record Side(boolean always, boolean ofAgents, List<SourcePath> otherwise) {
        boolean needed(Call call) {
            if (always || ofAgents && call.subjectType().equals("agent")) {
                return true;
            }
            for (SourcePath path : otherwise) {
                if (path.read(call) == null) {
                    return true;
                }
            }
            return false;
        }
    }

    private EntityNeeds(Collection<Attribute> read) {
        read.forEach(this::add);
        this.subject = side(SourcePath.Root.SUBJECT);
        this.resource = side(SourcePath.Root.RESOURCE);
    }

    private void add(Attribute attribute) {
        SourcePath path = attribute.source();
        if (path == null || !path.storable() || !attributes.add(attribute)) {
            return;
        }
        Reference reference = path.reference();
        if (reference != null) {
            add(reference.id());
            references.add(reference);
        }
    }

    private Side side(SourcePath.Root root) {
        boolean always = false;
        boolean ofAgents = false;
        var otherwise = new ArrayList<SourcePath>();
        for (Attribute attribute : attributes) {
            SourcePath path = attribute.source();
            if (path != null && path.root() == root) {
                if (attribute.builtIn() == BuiltIn.USER) {
                    ofAgents = true;
                } else if (attribute.precedence() == Precedence.STORE) {
                    always = true;
                } else {
                    otherwise.add(path);
                }
            }
        }
        return new Side(always, ofAgents, List.copyOf(otherwise));
    }

    /** The needs of whoever reads these attributes. */
    public static EntityNeeds of(Collection<Attribute> attributes) {
        return new EntityNeeds(attributes);
    }

    /** The needs of these rules. */
    public static EntityNeeds ofRules(Collection<Rule> rules) {
        var read = new LinkedHashSet<Attribute>();
        rules.forEach(rule -> rule.conditions().forEach(condition -> condition.attributes(read::add)));
        return new EntityNeeds(read);
    }

    /** These needs and others together. */
    public EntityNeeds and(EntityNeeds others) {
        if (others.none() || none()) {
            return none() ? others : this;
        }
        var all = new LinkedHashSet<>(attributes);
        all.addAll(others.attributes);
        return new EntityNeeds(all);
    }

    /** Whether no call can need anything, so that nobody has to ask. */
    public boolean none() {
        return attributes.isEmpty();
    }

    /** What one call needs; see {@link EntityLookup}. */
    public EntityLookup lookup(Call call) {
        return lookup(call, key -> null);
    }

    /** The same with what need not be asked for. */
    public EntityLookup lookup(Call call, EntityLookup.AtHand atHand) {
        return new EntityLookup(this, call, atHand);
    }

    /**
     * The call with what a store says that answers at once.
     *
     * @param store the answer for each of these names; one that it leaves out is unavailable
     */
    public Call resolve(Call call, Function<Set<EntityKey>, Map<EntityKey, Found>> store) {
        if (none()) {
            return call;
        }
        EntityLookup lookup = lookup(call);
        while (!lookup.done()) {
            lookup.answer(store.apply(lookup.missing()));
        }
        return lookup.call();
    }

    /** Of what the store said, the members of the subject's or the resource's entity that somebody may read. */
    public ObjectNode used(SourcePath.Root root, Found found) {
        return used(found, path -> path.root() == root, 1);
    }

    /** Of what the store said, the members of a reference's entity that somebody may read. */
    public ObjectNode used(Reference reference, Found found) {
        return used(found, path -> reference.equals(path.reference()), 0);
    }

    private ObjectNode used(Found found, Predicate<SourcePath> mine, int member) {
        ObjectNode out = JsonNodeFactory.instance.objectNode();
        if (found instanceof Found.Entity entity) {
            for (Attribute attribute : attributes) {
                SourcePath path = attribute.source();
                if (path != null && mine.test(path)) {
                    String name = path.steps().get(member);
                    JsonNode value = entity.properties().get(name);
                    if (value != null) {
                        out.set(name, value);
                    }
                }
            }
        }
        return out;
    }

    boolean subject(Call call) {
        return subject.needed(call);
    }

    boolean resource(Call call) {
        return !call.toolCall() && resource.needed(call);
    }

    /** The references of which somebody may read, each after those that it starts from. */
    public Set<Reference> references() {
        return Collections.unmodifiableSet(references);
    }
}
