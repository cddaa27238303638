namespace Atrium.Server.Cli.Remote;

/// <summary>The few colours that lists and differences have, as terminals take them (ECMA-48 SGR).</summary>
internal static class Colour
{
    public const string Heading = "1";
    public const string Good = "32";
    public const string Warning = "33";
    public const string Bad = "31";
    public const string Quiet = "2";

    public static string? OfState(string state) => state switch
    {
        "active" or "verified" or "accepted" or "delivered" => Good,
        "pending" or "suspended" or "next" or "retiring" or "retrying" => Warning,
        "disabled" or "failed" or "revoked" or "expired" or "deleting" => Bad,
        _ => null,
    };

    public static string Paint(this Shell shell, string text, string? colour) => shell.Colours && colour is not null ? $"\e[{colour}m{text}\e[0m" : text;
}
