using Atrium.Core;
using Atrium.Core.Events;
using Atrium.Core.Organizations;
using Atrium.Core.Realms;
using Atrium.Core.SignIns;
using Atrium.Core.Users;
using Atrium.Server.Doors;
using Atrium.Server.Doors.OAuth;
using Atrium.Server.Hosting;
using Atrium.Server.Http;
using Atrium.Server.Invitations;
using Atrium.Server.Keys;
using Atrium.Server.Passwords;
using Atrium.Server.SignIns;
using Atrium.Storage;
using Microsoft.Extensions.Primitives;

namespace Atrium.Server.Pages;

/// <summary>
/// The pages behind the link of an invitation. Who has an account signs in here, by the same checks as everywhere; who has none makes one. What
/// must come next is decided by <see cref="InvitationStep"/> and, for the sign-in, by the engine.
/// </summary>
public sealed class HostedInvitations(
    InvitationDesk desk,
    InvitationSignIn signIn,
    BrowserCookies cookies,
    UserStore users,
    SessionStore sessions,
    PasswordHasher passwords,
    SecretBox box,
    TimeProvider clock)
{
    private const int MaxTokenLength = 128;
    private const string WrongPassword = "That password isn’t right.";
    private const string WrongCode = "That code is not right, or was used before. Enter the one that the app shows now, or a recovery code.";
    private const string NotSamePassword = "The two passwords are not the same.";
    private const string WrongName = "A name is at most 256 characters long, on one line.";
    private const string Limited = "Too many tries. Wait a minute, then try again.";
    private const string Busy = "Many people are signing in just now. Try again in a moment.";

    public static void Map(RouteGroupBuilder realm)
    {
        realm.MapGet("/invitations/{**token}", static (HttpContext context, string token, HostedInvitations hosted, CancellationToken cancellationToken) =>
            hosted.ShowAsync(context, token, cancellationToken)).AnswersUnavailable(HostedPages.Unavailable).HasSecretInPath();
        realm.MapPost("/invitations/{**token}", static (HttpContext context, string token, HostedInvitations hosted, CancellationToken cancellationToken) =>
            hosted.TakeAsync(context, token, cancellationToken)).AnswersUnavailable(HostedPages.Unavailable).HasSecretInPath();

        // Every other method, so that its refusal too is logged without the secret.
        realm.Map("/invitations/{**token}", static (HttpContext context) =>
        {
            context.Response.Headers.Allow = "GET, HEAD, POST";
            return TypedResults.StatusCode(StatusCodes.Status405MethodNotAllowed);
        }).HasSecretInPath();
    }

    private async Task<IResult> ShowAsync(HttpContext context, string token, CancellationToken cancellationToken)
    {
        Visit visit = await VisitAsync(context, token, cancellationToken);
        return visit.Step switch
        {
            InvitationStep.Refuse { Reason: InvitationRefusal.Accepted } when visit.Standing is { } person && person.Id == visit.Opened!.Invitation.AcceptedBy =>
                InvitationPages.Welcome(visit, person),
            InvitationStep.Refuse refuse => InvitationPages.Refused(visit, refuse.Reason),
            _ => InvitationPages.Of(visit, InvitationForm.New(cookies.MarkBrowser(context, visit.Realm), clock.GetUtcNow()).Seal(box, visit.Invitation)),
        };
    }

    private async Task<IResult> TakeAsync(HttpContext context, string token, CancellationToken cancellationToken)
    {
        Realm realm = context.Realm();
        if (context.Request.Headers["Sec-Fetch-Site"] is [{ } site] && site is not ("same-origin" or "none"))
            return InvitationPages.StartAgain(context, realm, null);
        ReadForm read = await OAuthParameters.ReadUniqueFormAsync(context.Request, cancellationToken);
        if (read.Parameters is not { } fields)
            return HostedPages.Over(context, realm, read.Error!);
        Visit visit = await VisitAsync(context, token, cancellationToken);
        if (visit.Step is InvitationStep.Refuse refuse)
            return visit.Opened is null ? InvitationPages.Refused(visit, refuse.Reason) : new SeeOther(visit.Path);

        // The form of another browser would put this one into somebody else's session (login CSRF).
        if (InvitationForm.Open(box, visit.Invitation, fields.ValueOf(InvitationForm.FieldName), clock.GetUtcNow()) is not { } form
            || !cookies.IsBrowser(context, realm, new SecretHash(Convert.FromHexString(form.Browser))))
        {
            return InvitationPages.StartAgain(context, realm, visit.Path);
        }

        visit = visit with { Fields = fields, Form = form };
        return visit.Step switch
        {
            InvitationStep.OtherPerson when fields.ContainsKey("sign_out") => await SignOutAsync(visit, cancellationToken),
            InvitationStep.Confirm confirm when fields.ContainsKey("join") =>
                Finish(visit, await desk.AcceptAsync(confirm.User, visit.Token, null, null, OriginOf(context, confirm.User.Id), cancellationToken), null),
            InvitationStep.SignIn step when fields.ContainsKey("code") => await TakeCodeAsync(visit, step.User, cancellationToken),
            InvitationStep.SignIn step when fields.ContainsKey("password") => await TakePasswordAsync(visit, step.User, cancellationToken),
            InvitationStep.Register step when fields.ContainsKey("password") => await RegisterAsync(visit, step.Existing, cancellationToken),

            // The form of a page that is no longer the one to fill in: show the one that is.
            _ => new SeeOther(visit.Path),
        };
    }

    private async Task<IResult> TakePasswordAsync(Visit visit, User user, CancellationToken cancellationToken)
    {
        switch (await signIn.ProvePasswordAsync(visit.Context, visit.Realm, user, visit.Fields.ValueOf("password") ?? "", cancellationToken))
        {
            case InvitationProof.Done done:
                return await AcceptAsync(visit, user, done.Progress, cancellationToken);
            case InvitationProof.NeedsCode needed:
                return InvitationPages.Code(visit, visit.Form!.Proved(user.Id, needed.Password, needed.Challenge).Seal(box, visit.Invitation));
            case InvitationProof.Refused refused:
                return HostedPages.Error(visit.Context, visit.Realm, HostedPages.ErrorOf(refused.Reason));
            case var other:
                return NotProved(visit, other, WrongPassword, InvitationPages.Of);
        }
    }

    private async Task<IResult> TakeCodeAsync(Visit visit, User user, CancellationToken cancellationToken)
    {
        InvitationForm form = visit.Form!;
        if (form.User != user.Id.ToString() || form.Password is not { } password || Id<FactorChallenge>.Parse(form.Challenge) is not { } challenge)
            return new SeeOther(visit.Path);
        switch (await signIn.ProveCodeAsync(visit.Context, visit.Realm, user, password, challenge, visit.Fields.ValueOf("code") ?? "", cancellationToken))
        {
            case InvitationProof.Done done:
                return await AcceptAsync(visit, user, done.Progress, cancellationToken);
            case InvitationProof.Refused { Reason: SignInRefusal.Expired }:
                return InvitationPages.StartAgain(visit.Context, visit.Realm, visit.Path);
            case InvitationProof.Refused refused:
                return HostedPages.Error(visit.Context, visit.Realm, HostedPages.ErrorOf(refused.Reason));
            case var other:
                return NotProved(visit, other, WrongCode, InvitationPages.Code);
        }
    }

    private async Task<IResult> RegisterAsync(Visit visit, User? existing, CancellationToken cancellationToken)
    {
        string name = (visit.Fields.ValueOf("name") ?? "").Trim();
        string password = visit.Fields.ValueOf("password") ?? "";
        string? problem = !TextRules.IsName(name) ? WrongName
            : PasswordPolicy.Check(password) is { } weak ? weak.Message
            : password != (visit.Fields.ValueOf("repeated") ?? "") ? NotSamePassword
            : null;
        if (problem is not null)
            return InvitationPages.Of(visit, Again(visit), problem, name);
        if (await passwords.HashAsync(password, cancellationToken) is not { } hash)
        {
            Unavailable.Hashing.Announce(visit.Context);
            return InvitationPages.Of(visit, Again(visit), Busy, name, StatusCodes.Status503ServiceUnavailable);
        }

        NewSession session = new(signIn.Begin(visit.Context, visit.Realm, existing, [new Proof(AuthenticationMethod.Password, clock.GetUtcNow())]), visit.Realm.Settings.Sessions, Secret.New());
        AcceptanceResult result = existing is not null
            ? await desk.AcceptAsync(existing, visit.Token, hash, session, OriginOf(visit.Context, existing.Id), cancellationToken)
            : await desk.AcceptAsync(
                visit.Invitation,
                new NewPerson(GivenName: null, FamilyName: null, name.Length == 0 ? null : name, hash),
                visit.Token,
                session,
                id => OriginOf(visit.Context, id),
                cancellationToken);
        return Finish(visit, result, session);
    }

    private async Task<IResult> AcceptAsync(Visit visit, User user, SignInProgress progress, CancellationToken cancellationToken)
    {
        NewSession session = new(progress, visit.Realm.Settings.Sessions, Secret.New());
        return Finish(
            visit, await desk.AcceptAsync(user, visit.Token, passwordHash: null, session, OriginOf(visit.Context, user.Id), cancellationToken), session);
    }

    /// <summary>To the page that tells how it stands now.</summary>
    private IResult Finish(Visit visit, AcceptanceResult result, NewSession? session)
    {
        if (result.Refusal is { } refusal)
            return InvitationPages.Refused(visit, refusal);
        if (result.Invitation is not null && session is not null)
            cookies.SetSession(visit.Context, visit.Realm, session.Cookie, clock.GetUtcNow().AddSeconds(session.Limits.MaxAge));
        return new SeeOther(visit.Path);
    }

    private async Task<IResult> SignOutAsync(Visit visit, CancellationToken cancellationToken)
    {
        if (await cookies.FindSessionAsync(visit.Context, visit.Realm, cancellationToken) is { } standing)
        {
            await sessions.EndAsync(
                visit.Realm.Id, standing.Id, SessionEnd.SignedOut, clock.GetUtcNow(), OriginOf(visit.Context, standing.UserId), cancellationToken);
        }

        cookies.ForgetSession(visit.Context, visit.Realm);
        return new SeeOther(visit.Path);
    }

    private IResult NotProved(Visit visit, InvitationProof proof, string wrong, Func<Visit, string, string?, string?, int, IResult> page)
    {
        switch (proof)
        {
            case InvitationProof.Limited limited:
                RetryAfter.Set(visit.Context.Response, limited.Wait);
                return page(visit, Again(visit), Limited, null, StatusCodes.Status429TooManyRequests);
            case InvitationProof.Busy:
                Unavailable.Hashing.Announce(visit.Context);
                return page(visit, Again(visit), Busy, null, StatusCodes.Status503ServiceUnavailable);
            default:
                return page(visit, Again(visit), wrong, null, StatusCodes.Status400BadRequest);
        }
    }

    private string Again(Visit visit) => visit.Form!.Seal(box, visit.Invitation);

    private async Task<Visit> VisitAsync(HttpContext context, string token, CancellationToken cancellationToken)
    {
        Realm realm = context.Realm();
        OpenedInvitation? opened = token.Length is > 0 and <= MaxTokenLength ? await desk.OpenAsync(realm.Id, new Secret(token), cancellationToken) : null;
        User? standing = opened is not null && await cookies.FindSessionAsync(context, realm, cancellationToken) is { } session
            ? await users.FindAsync(realm.Id, session.UserId, cancellationToken)
            : null;
        return new Visit(context, realm, new Secret(token), opened, standing, InvitationStep.Next(InvitationDesk.FactsOf(opened, standing, clock.GetUtcNow())));
    }

    private static Origin OriginOf(HttpContext context, Id<User> user) => context.OriginOf(ActorType.User, user.ToString());
}

/// <summary>An opened link: who opened it, and what must come next.</summary>
/// <param name="Opened">Null for a secret that is nobody's.</param>
public sealed record Visit(HttpContext Context, Realm Realm, Secret Token, OpenedInvitation? Opened, User? Standing, InvitationStep Step)
{
    private static readonly Dictionary<string, StringValues> Nothing = [];

    /// <summary>What the form brought.</summary>
    public IReadOnlyDictionary<string, StringValues> Fields { get; init; } = Nothing;

    internal InvitationForm? Form { get; init; }

    public Invitation Invitation => Opened!.Invitation;

    /// <summary>The address of the pages, which holds the secret as the letter does.</summary>
    public string Path => $"/t/{Realm.Handle}/invitations/{Uri.EscapeDataString(Token.Reveal())}";
}
