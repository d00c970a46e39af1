package dev.countersign.rules.engine;

import dev.countersign.rules.facts.Request;
import java.util.ArrayList;
import java.util.List;

/**
 * The fact of one evaluation: a request, and what rules say of it. Its findings hang on it and on nothing shared, so
 * that a late rule can only speak of the request it was asked about.
 */
public final class Evaluation {
    /** The most rules that are kept; beyond it, only their number is. */
    static final int MAX_KEPT = 1_000;

    private final Request request;
    private final List<CompiledRule> matched = new ArrayList<>(4);
    private final List<CompiledRule> unknown = new ArrayList<>(0);
    private int overflow;

    /** One in which nothing has been said yet. */
    public Evaluation(Request request) {
        this.request = request;
    }

    /** What these rules say of a request, asked one by one in a plain loop: the reference for the engine. */
    public static Evaluation of(Request request, List<CompiledRule> rules) {
        var evaluation = new Evaluation(request);
        for (CompiledRule rule : rules) {
            if (rule.test(request) != Condition.FALSE) {
                rule.fire(evaluation);
            }
        }
        return evaluation;
    }

    /** The request that is judged. */
    public Request request() {
        return request;
    }

    /** The rules that apply, in no order. */
    public List<CompiledRule> matched() {
        return matched;
    }

    /** The rules of which it cannot be known whether they apply, in no order. */
    public List<CompiledRule> unknown() {
        return unknown;
    }

    /** How many rules could not be kept. An evaluation that overflows must deny. */
    public int overflow() {
        return overflow;
    }

    /** What would have been found if there were no such rule: rules do not see each other, so nothing else changes. */
    public Evaluation without(CompiledRule rule) {
        var rest = new Evaluation(request);
        rest.overflow = overflow;
        matched.stream().filter(other -> other != rule).forEach(rest.matched::add);
        unknown.stream().filter(other -> other != rule).forEach(rest.unknown::add);
        return rest;
    }

    /**
     * Adds what a rule says of the request.
     *
     * @param truth what {@link CompiledRule#test} returned
     */
    public void judged(CompiledRule rule, int truth) {
        if (truth == Condition.TRUE) {
            matched(rule);
        } else if (truth == Condition.UNKNOWN) {
            unknown(rule);
        }
    }

    void matched(CompiledRule rule) {
        keep(matched, rule);
    }

    void unknown(CompiledRule rule) {
        keep(unknown, rule);
    }

    private void keep(List<CompiledRule> list, CompiledRule rule) {
        if (list.size() < MAX_KEPT) {
            list.add(rule);
        } else {
            overflow++;
        }
    }
}
