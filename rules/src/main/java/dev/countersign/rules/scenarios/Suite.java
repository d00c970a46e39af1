package dev.countersign.rules.scenarios;

import java.util.List;

/**
 * The cases and invariants of one file; at least one of either.
 *
 * @param name its name, unique in the pack
 * @param file the file
 * @param cases its cases, rows of tables and cells of matrices included
 * @param invariants its invariants
 */
public record Suite(String name, String file, List<Scenario> cases, List<Invariant> invariants) {}
