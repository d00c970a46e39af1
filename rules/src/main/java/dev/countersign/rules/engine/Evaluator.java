package dev.countersign.rules.engine;

import dev.countersign.rules.facts.Layout;
import dev.countersign.rules.facts.Request;
import org.kie.api.KieBase;
import org.kie.api.runtime.KieSession;
import org.kie.api.runtime.rule.FactHandle;

/**
 * One long-lived Drools session. Confined to one thread; after any failure it starts over with a new session, and the
 * request that failed must be denied.
 */
public final class Evaluator implements AutoCloseable {
    private final KieBase kieBase;
    private final int bound;
    private final Layout layout;
    private KieSession session;

    Evaluator(KieBase kieBase, int rules, Layout layout) {
        this.kieBase = kieBase;
        this.bound = rules + 1;
        this.layout = layout;
        this.session = kieBase.newKieSession();
    }

    /**
     * What all rules say of a request.
     *
     * @throws IllegalArgumentException if the request was made for another rule base
     * @throws RuntimeException if the engine fails; the evaluator itself can be used again
     */
    public Evaluation evaluate(Request request) {
        if (request.values().layout() != layout) {
            throw new IllegalArgumentException("the request was made for another rule base");
        }
        var evaluation = new Evaluation(request);
        boolean done = false;
        try {
            FactHandle handle = session.insert(evaluation);
            try {
                if (session.fireAllRules(bound) >= bound) {
                    throw new IllegalStateException("more rules fired than there are");
                }
            } finally {
                session.delete(handle);
            }
            done = true;
            return evaluation;
        } finally {
            if (!done) {
                session.dispose();
                session = kieBase.newKieSession();
            }
        }
    }

    @Override
    public void close() {
        session.dispose();
    }
}
