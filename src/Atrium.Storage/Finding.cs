using System.Text.Json.Serialization;

namespace Atrium.Storage;

public enum Verdict
{
    [JsonStringEnumMemberName("good")]
    Good,

    /// <summary>It serves, but somebody should do something about it.</summary>
    [JsonStringEnumMemberName("warning")]
    Warning,

    /// <summary>It does not serve, or what it acknowledged is not safe.</summary>
    [JsonStringEnumMemberName("bad")]
    Bad,
}

/// <summary>What was found out about one matter: what it is like, and what to do where it should be otherwise.</summary>
public sealed record Finding(string Matter, Verdict Verdict, string Text, string? Advice = null)
{
    public static Finding Good(string matter, string text) => new(matter, Verdict.Good, text);

    public static Finding Warning(string matter, string text, string advice) => new(matter, Verdict.Warning, text, advice);

    public static Finding Bad(string matter, string text, string advice) => new(matter, Verdict.Bad, text, advice);
}
