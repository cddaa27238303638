using System.ComponentModel;

namespace Atrium.Server.Doors.Management.Bodies;

/// <summary>One thing wrong with a body.</summary>
/// <param name="Field">Where, as a JSON pointer (RFC 6901).</param>
/// <param name="Message">What is wrong there, and what would be right.</param>
public sealed record Problem(
    [property: Description("Where, as a JSON pointer (RFC 6901).")] string Field,
    [property: Description("What is wrong there, and what would be right.")] string Message);
