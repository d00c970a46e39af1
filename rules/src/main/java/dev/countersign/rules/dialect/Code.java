package dev.countersign.rules.dialect;

/**
 * Every kind of mistake that the gate reports. The codes are stable: tools and documentation may rely on them. The
 * table in {@code docs/diagnostics.md} is held to this enum by a test.
 */
public enum Code {
    /** The text is larger than a rule file may be. */
    S001("the file is too large"),
    /** A control, bidirectional, zero-width or unpaired surrogate character, or a line end other than LF or CRLF. */
    S002("a character that hides or reorders text"),
    /** A string or comment that is not closed. */
    S003("a string or comment is not closed"),
    /** A backslash where it has no meaning, or a unicode escape. */
    S004("an escape that is not allowed"),
    /** Brackets nest deeper than allowed. */
    S005("brackets nest too deeply"),
    /** A string is longer than allowed. */
    S006("a string is too long"),
    /** A character that no part of the dialect uses. */
    S007("a character that the dialect does not use"),
    /** Drools' own parser does not understand the text. */
    P001("the text is not DRL"),
    /** Rules were lost between text and parse tree. */
    P002("rules and their ends do not match"),
    /** The package is missing or not the pack's own. */
    G010("the package is not the pack's own"),
    /** An import of anything but the request type, or a function or static import. */
    G012("an import that is not allowed"),
    /** A global other than the decision. */
    G013("a global that is not allowed"),
    /** A function, query, type declaration or any other statement beside rules. */
    G014("only rules are allowed"),
    /** There is no rule, or there are too many. */
    G020("too few or too many rules"),
    /** A rule's name has characters or a length that are not allowed. */
    G021("a rule name that is not allowed"),
    /** Two rules of the pack have one name. */
    G022("two rules with one name"),
    /** A rule extends another. */
    G023("a rule may not extend another"),
    /** An annotation that is not known, or whose value is not a plain text. */
    G024("an annotation that is not allowed"),
    /** A rule attribute, such as salience or enabled. */
    G025("rule attributes are not allowed"),
    /** A named consequence or a conditional branch. */
    G026("one plain consequence is allowed"),
    /** Something beside the one pattern: not, exists, eval, from, accumulate, a second pattern. */
    G030("one Request pattern is allowed"),
    /** The pattern's type is not Request. */
    G031("the pattern is not a Request"),
    /** The pattern has a binding, source, annotation, window or other decoration. */
    G032("a plain pattern is allowed"),
    /** There are too many conditions. */
    G033("too many conditions"),
    /** The consequence is empty. */
    G039("the consequence says nothing"),
    /** Something in the consequence is not a call of a decision verb. */
    G040("only decision verbs are allowed in a consequence"),
    /** The verb is not known. */
    G042("an unknown verb"),
    /** Wrong number or type of arguments of a verb. */
    G043("wrong arguments"),
    /** The approval template is not declared by the pack. */
    G044("an unknown approval template"),
    /** There are too many actions in one consequence. */
    G045("too many actions"),
    /** Something else was expected at this place. */
    E001("something else is expected here"),
    /** The condition nests too deeply. */
    E002("a condition nests too deeply"),
    /** A list of literals is too long. */
    E003("too many values in a list"),
    /** The name is not known. */
    N001("an unknown name"),
    /** The parameter or list is not declared by the pack. */
    N002("an unknown parameter or list"),
    /** The function is not known. */
    N003("an unknown function"),
    /** The two sides of a comparison have different types, or the operator does not fit the type. */
    T001("types do not fit"),
    /** A literal is not what its place needs: a time, a CIDR block, a finite number. */
    T002("a value that cannot be read"),
    /** The regular expression is not valid RE2. */
    R001("a pattern that is not valid"),
    /** A member of a policy row, or of its JSON, is missing, not known, or not what it must be. */
    J001("a policy that is not valid"),
    /** A tenant has as many policies for an action, or with patterns, as it may have. */
    J002("too many policies"),
    /** A rule that restricts starts with a condition that can be unknown. */
    W001("a restricting rule starts with an optional attribute"),
    /** The manifest is not valid. */
    Y001("pack.yaml is not valid"),
    /** A scenario file is not valid. */
    Y002("a scenario file is not valid"),
    /** A line of an entity file is not valid. */
    Y003("an entity file is not valid");

    private final String title;

    Code(String title) {
        this.title = title;
    }

    /** What the mistake is, in a few words. */
    public String title() {
        return title;
    }

    /** Whether the mistake leaves the pack usable. */
    public boolean warning() {
        return name().startsWith("W");
    }
}
