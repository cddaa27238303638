using Atrium.Core;
using Atrium.Core.Realms;
using Atrium.Core.Resources;
using Atrium.Core.SignIns;
using Atrium.Core.Users;
using Atrium.Server.Doors.Management.Bodies;
using Atrium.Storage;

namespace Atrium.Server.Doors.Management.Users;

/// <summary><c>/users/{id}/consents</c>: what a person has let applications have.</summary>
public static class ConsentsEndpoints
{
    public static void MapConsents(this RouteGroupBuilder users)
    {
        RouteGroupBuilder consents = users.MapGroup("/{id}/consents").WithTags("Consents");
        consents.MapGet("", ListAsync).Needs(ApiScopes.UsersRead).TakesPage<Consent>()
            .WithSummary("Lists what a person has let applications have.").AnswersMany<ConsentResource>();
        consents.MapGet("/{consent}", GetAsync).Needs(ApiScopes.UsersRead).WithSummary("Shows a consent.").AnswersOne<ConsentResource>();
        consents.MapDelete("/{consent}", RevokeAsync).Needs(ApiScopes.UsersWrite)
            .WithSummary("Takes a consent away, and ends every grant that the application has of the person.").AnswersNothing();
    }

    private static async Task<IResult> ListAsync(
        HttpContext context, string id, UserStore users, ConsentStore consents, CancellationToken cancellationToken)
    {
        return await UsersEndpoints.FindAsync(context, id, users, cancellationToken) is { } user
            ? Many.Of(
                await consents.ListAsync(user.RealmId, user.Id, context.Page<Consent>(), cancellationToken),
                Shown,
                ResourceJson.Default.ConsentResource,
                static one => one.Consent.Id.ToString())
            : ManagementError.NotFound;
    }

    private static async Task<IResult> GetAsync(HttpContext context, string id, string consent, ConsentStore consents, CancellationToken cancellationToken) =>
        Id<User>.Parse(id) is { } user && Id<Consent>.Parse(consent) is { } known
            && await consents.FindAsync(context.Caller().Realm, user, known, cancellationToken) is { } found
            ? new One<ConsentResource>(Shown(found), ResourceJson.Default.ConsentResource)
            : ManagementError.NotFound;

    private static async Task<IResult> RevokeAsync(
        HttpContext context, string id, string consent, ConsentStore consents, TimeProvider clock, CancellationToken cancellationToken)
    {
        if (Id<User>.Parse(id) is not { } user || Id<Consent>.Parse(consent) is not { } known)
            return ManagementError.NotFound;
        Deletion deletion = new(context);
        NamedConsent? revoked = await consents.RevokeAsync(
            context.Caller().Realm,
            user,
            known,
            found => deletion.Allows(Shown(found), ResourceJson.Default.ConsentResource),
            clock.GetUtcNow(),
            context.Origin(),
            cancellationToken);
        return deletion.Answer(revoked is not null);
    }

    private static ConsentResource Shown(NamedConsent one) => ConsentResource.Of(one.Consent, one.Client);
}
