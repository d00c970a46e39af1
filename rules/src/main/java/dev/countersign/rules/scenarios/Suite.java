package dev.countersign.rules.scenarios;

import java.util.List;

/**
 * The cases of one file.
 *
 * @param name its name, unique in the pack
 * @param file the file
 * @param cases at least one, rows of tables included
 */
public record Suite(String name, String file, List<Scenario> cases) {}
