namespace Atrium.Core;

/// <summary>Something that is wrong with what was sent.</summary>
/// <param name="Field">A JSON pointer (RFC 6901) to it.</param>
/// <param name="Message">An English sentence.</param>
public sealed record Fault(string Field, string Message)
{
    /// <summary>The same, seen from further out.</summary>
    public Fault Within(string field) => this with { Field = field + Field };
}
