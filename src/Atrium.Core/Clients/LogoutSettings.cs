namespace Atrium.Core.Clients;

/// <summary>How a client hears that a session has ended (OpenID Connect Back-Channel and Front-Channel Logout 1.0).</summary>
public sealed record LogoutSettings
{
    /// <summary>Where its server is told, whatever ended the session; null not to be.</summary>
    public string? BackchannelUri { get; init; }

    /// <summary>Whether it must be told which session (<c>sid</c>). It always is.</summary>
    public bool BackchannelSessionRequired { get; init; }

    /// <summary>What the signed-out page shows in a frame, in the browser that signs out; null for nothing.</summary>
    public string? FrontchannelUri { get; init; }

    /// <summary>Whether <c>iss</c> and <c>sid</c> stand in the frame's address.</summary>
    public bool FrontchannelSessionRequired { get; init; }

    /// <summary>
    /// What can't be; fields as seen from the client. A front-channel address has the origin of a redirect URI (Front-Channel Logout section 2), so that a
    /// client gets nobody's page loaded but its own.
    /// </summary>
    public static IEnumerable<Fault> Faults(Client client)
    {
        LogoutSettings logout = client.Settings.Logout;
        if (logout.BackchannelUri is { } backchannel && Problem(backchannel) is { } problem)
            yield return new("/settings/logout/backchannel_uri", problem);
        if (logout.FrontchannelUri is not { } frontchannel)
            yield break;
        if (Problem(frontchannel) is { } wrong)
            yield return new("/settings/logout/frontchannel_uri", wrong);
        else if (!client.Origins.Contains(WebOrigin.Of(frontchannel)))
            yield return new("/settings/logout/frontchannel_uri", "Its scheme, host and port should be those of a redirect URI.");
    }

    private static string? Problem(string text)
    {
        if (text.Length > ClientRules.MaxUriLength)
            return $"An address has at most {ClientRules.MaxUriLength} characters.";
        if (!Uri.TryCreate(text, UriKind.Absolute, out Uri? uri) || !(uri.Scheme == "https" || (uri.Scheme == "http" && uri.IsLoopback)) || uri.Host.Length == 0)
            return "This should be an absolute https address; http is for this machine alone.";
        return uri.UserInfo.Length > 0 || text.Contains('#', StringComparison.Ordinal) ? "It should have neither a user nor a fragment." : null;
    }
}
